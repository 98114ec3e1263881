import { describe, expect, it } from '@jest/globals';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../widgets/glyphs.js';
import { machineView, type MachineViewProps } from '../../widgets/machine-view.js';
import { texts, tokensOf } from './drawing.js';

const PROPS: MachineViewProps = {
  sample: {
    cpu: 0.41,
    memoryUsedBytes: 19.1e9,
    memoryTotalBytes: 24e9,
    memoryLimited: false,
    swapUsedBytes: 0,
    swapTotalBytes: 0,
    load1: 1.9,
    diskFreeBytes: 212e9,
    netReceivedPerSecond: 1e6,
    netSentPerSecond: null,
  },
  gpus: [
    {
      index: 0,
      name: 'NVIDIA GeForce RTX 4070',
      utilization: 0.96,
      memoryUsedBytes: 7.9e9,
      memoryTotalBytes: 12e9,
      temperatureC: 71,
      powerW: 181,
      powerLimitW: 200,
      clockMHz: 2610,
      fan: null,
      memoryTemperatureC: null,
      users: [{ label: 'ollama 4123 · qwen3:8b', memoryBytes: 6.1e9 }],
    },
  ],
  cpuHistory: [],
  memoryHistory: [],
  gpuHistory: [],
  staleMs: null,
  facts: ['AMD EPYC · 2 cores'],
  notes: [],
  cores: [0.33, 0.5],
  loads: [1.9, 1.2, null],
  coresAllowed: 1.5,
  ioWait: 0.03,
  pressure: { cpuSome: 0.02, memorySome: 0.25, memoryFull: null, ioSome: 0 },
  temperatures: [{ label: 'CPU package', celsius: 61.4 }],
  battery: { charge: 0.8, charging: false, powerW: 12.34 },
  disks: [{ path: '/models', freeBytes: 212e9 }],
  oomKills: 0,
  models: [{ label: 'qwen3:8b', server: 'ollama', memoryBytes: 6.1e9, vramBytes: 5.9e9, note: '4m 59s' }],
  processes: [
    { pid: 4123, name: 'ollama', where: ':11434', cpu: 1.85, memoryBytes: 0.4e9, mappedBytes: null },
  ],
};
const draw = (props: MachineViewProps = PROPS, width = 118, glyphs = UNICODE_GLYPHS) =>
  machineView.create(glyphs).view(props, { width, height: 40 }).rows;
const drawn = (props?: MachineViewProps, width?: number): string => texts(draw(props, width)).join('\n');

describe('the machine over the whole screen', () => {
  it('shows cores, loads, waits and each GPU with who uses it', () => {
    const text = drawn();
    expect(text).toMatch(/ 0 ▕██▋ {5}▏ {2}33 % +1 ▕████ {4}▏ {2}50 %/);
    expect(text).toContain('load 1.9 1.2 —   waits for disks 3 %   may use 1.5 cores');
    expect(text).toContain('waits for CPU 2 %  memory 25 % (all —)  disks 0 %');
    expect(text).toContain('limit 200 W   2610 MHz');
    expect(text).not.toContain('fan');
    expect(text).toMatch(/ollama 4123 · qwen3:8b +6\.1 GB/);
  });

  it('cuts no figure of the load off', () => {
    const text = drawn({ ...PROPS, loads: [14.7, 14.8, 14.5] });
    expect(text).toMatch(/load 14\.7 14\.8 14\.5 +waits for disks 3 % +may use 1\.5 cores /);
  });

  it('shows models in memory, processes, heat, battery and disks', () => {
    const text = drawn();
    expect(text).toMatch(/qwen3:8b · ollama +6\.1 GB +5\.9 GB {2}4m 59s/);
    expect(text).toMatch(/ollama :11434 +4123 +185 % +0\.4 GB +—/);
    expect(text).toContain('CPU package 61 °C');
    expect(text).toContain('80 %, in use, 12.3 W');
    expect(text).toMatch(/212 GB free {2}\/models/);
  });

  it('stands side by side where there is room, else one below the other, with the same facts', () => {
    const wide = texts(draw());
    const narrow = texts(draw(PROPS, 78));
    expect(wide[0]).toMatch(/CPU .*│ models in memory/);
    expect(narrow.length).toBeGreaterThan(wide.length);
    for (const fact of ['2610 MHz', 'CPU package', 'qwen3:8b · ollama', ':11434'])
      expect(narrow.join('\n')).toContain(fact);
  });

  it('warns of waiting and of programs that were killed, and says nothing of what is not known', () => {
    expect(tokensOf(draw(), '25 %')).toEqual(['warn']);
    expect(drawn({ ...PROPS, oomKills: 2 })).toContain('2 killed for want of memory');
    const bare = drawn({
      ...PROPS,
      ...{ cores: null, pressure: null, oomKills: null, temperatures: [], battery: null, processes: null },
      ...{ coresAllowed: null, ioWait: null, models: [], disks: [] },
    });
    expect(bare).toContain('no model is in memory');
    expect(bare).not.toMatch(/waits|heat|battery|processes|null|NaN/);
  });

  it('dims old readings, and has only ASCII signs where that is wished', () => {
    const rows = draw({ ...PROPS, staleMs: 12_000 });
    expect(texts(rows).join('\n')).toContain('no new reading for 12s');
    expect(tokensOf(rows, '41 %')).toEqual(['muted']);
    expect(
      texts(draw(PROPS, 118, ASCII_GLYPHS))
        .join('')
        .replace('qwen3:8b · ', '')
        .replace(' · ', ''),
    ).toMatch(/^[\x20-\x7e]*$/);
  });
});
