import { describe, expect, it } from '@jest/globals';
import { NO_SAMPLE, type GpuSample, type MachineSample } from '../../../src/domain/hardware.js';
import { mergeReports } from '../../../src/hardware/merge-reports.js';
import { NO_READINGS_OF_CARD } from '../../../src/hardware/no-readings.js';
import type { ProbeReport } from '../../../src/hardware/probe.js';
import { createManualClock } from '../../support/manual-clock.js';

const card = (id: string, index = 0, more: Partial<GpuSample> = {}): GpuSample => ({
  id,
  index,
  name: id,
  ...NO_READINGS_OF_CARD,
  utilization: 0.5,
  ...more,
});
const gpus = (...list: readonly GpuSample[]): ProbeReport => ({ type: 'gpus', gpus: list });
const failed: ProbeReport = { type: 'state', state: { state: 'failed', reason: 'gone' } };

function rig() {
  const clock = createManualClock(1_000_000);
  const lists: (readonly GpuSample[])[] = [];
  const samples: MachineSample[] = [];
  const merge = mergeReports(clock, (report) => {
    if (report.type === 'gpus') lists.push(report.gpus);
    if (report.type === 'machine') samples.push(report.sample);
  });
  const named = () => lists.at(-1)?.map((gpu) => `${gpu.index} ${gpu.id} ${gpu.utilization ?? '—'}`);
  return { clock, lists, samples, merge, named };
}

describe('sources of one machine together', () => {
  it('make one list, told once per interval, in the order in which they came', () => {
    const r = rig();
    r.merge.take(gpus(card('amd-1')), 'amd');
    r.merge.take(gpus(card('GPU-a'), card('GPU-b', 1)), 'nvidia');
    expect(r.named()).toEqual(['0 amd-1 0.5', '1 GPU-a 0.5', '2 GPU-b 0.5']);
    r.merge.take(gpus(card('GPU-a', 0, { utilization: 1 }), card('GPU-b', 1)), 'nvidia');
    expect(r.lists).toHaveLength(2);
    r.merge.take(gpus(card('amd-1')), 'amd');
    expect(r.lists).toHaveLength(3);
    expect(r.named()).toEqual(['0 amd-1 0.5', '1 GPU-a 1', '2 GPU-b 0.5']);
  });

  it('are led by another one when the first fails, whose readings go after a while', () => {
    const r = rig();
    r.merge.take(gpus(card('GPU-a')), 'nvidia');
    r.merge.take(gpus(card('amd-1')), 'amd');
    r.merge.take(failed, 'nvidia');
    r.merge.take(gpus(card('amd-1')), 'amd');
    expect(r.named()).toEqual(['0 GPU-a 0.5', '1 amd-1 0.5']);
    r.clock.advance(10_000);
    expect(r.named()).toEqual(['0 GPU-a —', '1 amd-1 0.5']);
    r.merge.take(gpus(card('GPU-a')), 'nvidia');
    r.merge.take(gpus(card('amd-1')), 'amd');
    expect(r.named()).toEqual(['0 GPU-a 0.5', '1 amd-1 0.5']);
  });

  it.each(['stale', 'failed'] as const)(
    'mark what one told before it is %s as old, until it tells again',
    (state) => {
      const r = rig();
      const old = () => r.lists.at(-1)?.map(({ id, stale }) => `${id} ${stale === true}`);
      r.merge.take(gpus(card('GPU-a')), 'nvidia');
      r.merge.take(gpus(card('amd-1')), 'amd');
      expect(old()).toEqual(['GPU-a false', 'amd-1 false']);
      r.merge.take({ type: 'state', state: { state, reason: 'no answer for 5 s' } }, 'nvidia');
      expect(old()).toEqual(['GPU-a true', 'amd-1 false']);
      r.merge.take(gpus(card('GPU-a')), 'nvidia');
      r.merge.take(gpus(card('amd-1')), 'amd');
      expect(old()).toEqual(['GPU-a false', 'amd-1 false']);
    },
  );

  it('of one card: what is old only fills in', () => {
    const r = rig();
    r.merge.take(gpus(card('GPU-a', 0, { powerW: 30, fan: 0.3 })), 'dcgm');
    r.merge.take(gpus(card('GPU-a', 0, { powerW: 99, utilization: 0.1 })), 'smi');
    r.merge.take(failed, 'dcgm');
    expect(r.lists.at(-1)).toEqual([card('GPU-a', 0, { powerW: 99, utilization: 0.1, fan: 0.3 })]);
  });

  it('keep the readings of one that told again in time', () => {
    const r = rig();
    r.merge.take(gpus(card('GPU-a')), 'nvidia');
    r.merge.take(failed, 'nvidia');
    r.merge.take(gpus(card('GPU-a')), 'nvidia');
    r.clock.advance(60_000);
    expect(r.named()).toEqual(['0 GPU-a 0.5']);
  });

  it('know of the same card what either of them knows', () => {
    const r = rig();
    r.merge.take(gpus(card('GPU-a', 0, { powerW: 30 })), 'dcgm');
    r.merge.take(gpus(card('GPU-a', 0, { utilization: 0.1, fan: 0.3, clockMHz: 900 })), 'smi');
    expect(r.lists.at(-1)).toEqual([card('GPU-a', 0, { powerW: 30, fan: 0.3, clockMHz: 900 })]);
  });

  it('know of the whole machine what either of them knows', () => {
    const r = rig();
    r.merge.take({ type: 'machine', sample: { ...NO_SAMPLE, cpu: 0 } }, 'a');
    r.merge.take({ type: 'machine', sample: { ...NO_SAMPLE, cpu: 1, load1: 2 } }, 'b');
    expect(r.samples.at(-1)).toEqual({ ...NO_SAMPLE, cpu: 0, load1: 2 });
  });
});
