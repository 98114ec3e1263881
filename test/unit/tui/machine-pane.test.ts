import { describe, expect, it } from '@jest/globals';
import type { GpuSample } from '../../../src/domain/hardware.js';
import { createMachinePane } from '../../../src/tui/machine-pane.js';
import { UNICODE_GLYPHS } from '../../../widgets/glyphs.js';
import { createMachine, SAMPLE, type Machine } from '../../support/machine.js';

const SIZE = { width: 78, height: 22 };
const CARDS = 8;

describe('the machine over a screen that is too small for all that is known of it', () => {
  const pane = createMachinePane(UNICODE_GLYPHS, () => undefined);
  const texts = (machine: Machine): readonly string[] =>
    pane.view(machine.state, SIZE).rows.map(({ spans }) => spans.map(({ text }) => text).join(''));
  const has = (machine: Machine, text: string): boolean => texts(machine).some((row) => row.includes(text));

  it('says how much more there is, and shows every row of it when it is scrolled', () => {
    const machine = withCards();
    expect(has(machine, 'GPU0')).toBe(true);
    expect(has(machine, `GPU${CARDS - 1}`)).toBe(false);
    const { row, most, page } = pane.rows(machine.state, SIZE);
    expect(row).toBe(0);
    expect(has(machine, `${most} more ↓`)).toBe(true);
    const seen = new Set<string>();
    for (let at = 0; at < most + page; at += page) {
      machine.send({ type: 'machine.scrolled', row: Math.min(at, most) });
      for (const text of texts(machine)) seen.add(/GPU\d/.exec(text)?.[0] ?? '');
    }
    for (let card = 0; card < CARDS; card++) expect(seen).toContain(`GPU${card}`);
    expect(has(machine, `${most} more ↑`)).toBe(true);
    expect(texts(machine).length).toBeLessThanOrEqual(SIZE.height);
  });

  it('comes back to what there is when that has become less', () => {
    const machine = withCards().send({ type: 'machine.scrolled', row: 10 });
    machine.send({ type: 'gpus.sampled', gpus: [] });
    expect(pane.rows(machine.state, SIZE)).toMatchObject({ row: 0, most: 0 });
    expect(has(machine, 'CPU')).toBe(true);
    expect(has(machine, 'more')).toBe(false);
  });
});

function withCards(): Machine {
  const gpus = Array.from({ length: CARDS }, (_, index): GpuSample => ({
    id: `GPU-${index}`,
    index,
    name: 'RTX',
    utilization: 0.5,
    memoryUsedBytes: 1e9,
    memoryTotalBytes: 8e9,
    temperatureC: 50,
    powerW: 100,
    powerLimitW: 200,
    fan: 0.4,
  }));
  return createMachine().send({ type: 'hardware.sampled', sample: SAMPLE }, { type: 'gpus.sampled', gpus });
}
