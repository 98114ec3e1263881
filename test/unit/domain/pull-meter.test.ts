import { describe, expect, it } from '@jest/globals';
import type { PullLayer, PullProgress } from '../../../src/domain/model.js';
import { metered, NEW_METER, pullFigures, type PullMeter } from '../../../src/domain/pull-meter.js';
import { isSameModelName, KINDS_WITH_PULL_WORDS } from '../../../src/domain/pull-names.js';
import { backendTypes } from '../../../src/backends/registry.js';

const MB = 1e6;

function report(layers: readonly PullLayer[], phase: PullProgress['phase'] = 'downloading'): PullProgress {
  const sum = (of: 'completedBytes' | 'totalBytes'): number =>
    layers.reduce((all, layer) => all + layer[of], 0);
  return {
    phase,
    status: '',
    completedBytes: layers.length === 0 ? null : sum('completedBytes'),
    totalBytes: layers.length === 0 ? null : sum('totalBytes'),
    layers,
  };
}
const layer = (id: string, completedBytes: number, totalBytes: number): PullLayer => ({
  id,
  completedBytes,
  totalBytes,
});
/** Reports, one a second. */
function after(reports: readonly PullProgress[]): PullMeter {
  return reports.reduce((meter, each, i) => metered(meter, each, i * 1000), NEW_METER);
}
const plain = (completed: number, total: number): PullProgress => ({
  ...report([]),
  completedBytes: completed,
  totalBytes: total,
});

describe('a pull', () => {
  it('has a speed and a time left of the last ten seconds, and none before there is a second of it', () => {
    const one = metered(NEW_METER, report([layer('a', 0, 100 * MB)]), 0);
    expect(pullFigures(one, 500)).toMatchObject({ fraction: 0, bytesPerSecond: null, leftMs: null });
    // 10 MB a second for 20 s, then 1 MB a second for 12 s.
    let meter = one;
    let done = 0;
    for (let second = 1; second <= 32; second++) {
      done += second <= 20 ? 10 : 1;
      meter = metered(meter, report([layer('a', done * MB, 1000 * MB)]), second * 1000);
    }
    const figures = pullFigures(meter, 32_000);
    expect(figures.bytesPerSecond).toBeCloseTo(1 * MB, -4);
    expect(figures.leftMs).toBeCloseTo((1000 - 212) * 1000, -3);
  });

  it('that hangs slows down to nothing, and then has no time left that could be told', () => {
    const meter = after([plain(0, 100 * MB), plain(10 * MB, 100 * MB), plain(20 * MB, 100 * MB)]);
    const speeds = [2000, 6000, 12_000, 60_000].map((mono) => pullFigures(meter, mono).bytesPerSecond ?? NaN);
    expect(speeds[0]).toBe(10 * MB);
    expect([...speeds].sort((a, b) => b - a)).toEqual(speeds);
    expect(speeds.at(-1)).toBe(0);
    expect(pullFigures(meter, 60_000).leftMs).toBeNull();
  });

  it('case 85: with layers side by side, one that shrinks, one without a figure and a late one stays between 0 and 100 %', () => {
    const reports = [
      report([layer('a', 0, 400 * MB)]),
      report([layer('a', 40 * MB, 400 * MB), layer('b', 0, 100 * MB)]),
      report([layer('a', 80 * MB, 400 * MB), layer('b', 30 * MB, 100 * MB)]),
      // A part is fetched anew: 20 MB less.
      report([layer('a', 60 * MB, 400 * MB), layer('b', 60 * MB, 100 * MB)]),
      // A late one raises the total.
      report([layer('a', 90 * MB, 400 * MB), layer('b', 100 * MB, 100 * MB), layer('c', 0, 2000 * MB)]),
      report([
        layer('a', 400 * MB, 400 * MB),
        layer('b', 100 * MB, 100 * MB),
        layer('c', 2000 * MB, 2000 * MB),
      ]),
    ];
    let meter = NEW_METER;
    for (const [second, each] of reports.entries()) {
      meter = metered(meter, each, second * 1000);
      const { fraction, bytesPerSecond, leftMs } = pullFigures(meter, second * 1000);
      expect(fraction).toBeGreaterThanOrEqual(0);
      expect(fraction).toBeLessThanOrEqual(1);
      if (bytesPerSecond !== null) {
        expect(bytesPerSecond).toBeGreaterThanOrEqual(0);
        expect(bytesPerSecond).toBeLessThanOrEqual(3000 * MB);
      }
      if (leftMs !== null) {
        expect(leftMs).toBeGreaterThanOrEqual(0);
        expect(leftMs).toBeLessThan(3_600_000);
      }
    }
  });

  it('case 85: never tells more than the whole, nor a time that nobody waits for', () => {
    const over = after([plain(0, 10), plain(50, 10)]);
    expect(pullFigures(over, 1000)).toMatchObject({ fraction: 1, completedBytes: 10, leftMs: 0 });
    const crawling = after([plain(0, 1e12), plain(1, 1e12), plain(2, 1e12)]);
    expect(pullFigures(crawling, 2000)).toMatchObject({ bytesPerSecond: 1, leftMs: null });
    const empty = after([plain(0, 0), plain(0, 0)]);
    expect(pullFigures(empty, 1000)).toMatchObject({ fraction: null, leftMs: null });
  });

  it('case 86: one that goes on begins where it was, and its speed counts only what comes now', () => {
    const meter = after([
      report([layer('a', 700 * MB, 1000 * MB)]),
      // A further layer that the server had already.
      report([layer('a', 701 * MB, 1000 * MB), layer('b', 500 * MB, 500 * MB)]),
      report([layer('a', 702 * MB, 1000 * MB), layer('b', 500 * MB, 500 * MB)]),
    ]);
    const figures = pullFigures(meter, 2000);
    expect(figures.fraction).toBeCloseTo(1202 / 1500);
    expect(figures.bytesPerSecond).toBe(1 * MB);
  });

  it('keeps few samples, however often it is told of', () => {
    let meter = NEW_METER;
    for (let i = 0; i < 10_000; i++) meter = metered(meter, plain(i * 1000, 1e9), i * 10);
    expect(meter.samples.length).toBeLessThan(50);
    expect(pullFigures(meter, 99_990).bytesPerSecond).toBeCloseTo(100_000, -3);
  });
});

describe('names of models', () => {
  it('case 76: are the same on Ollama whatever their case and with or without :latest; elsewhere exactly', () => {
    for (const other of ['llama3', 'llama3:latest', 'LLAMA3'])
      expect([other, isSameModelName('ollama', 'llama3', other)]).toEqual([other, true]);
    expect(isSameModelName('ollama', 'llama3', 'llama3:8b')).toBe(false);
    // The port of a registry is no tag.
    expect(isSameModelName('ollama', 'host:5000/a/b', 'host:5000/a/b:latest')).toBe(true);
    expect(isSameModelName('lmstudio', 'Model', 'model')).toBe(false);
  });

  it('have words of their own only for kinds that there are', () => {
    // llamafile shares the file of llama.cpp.
    const kinds = [...backendTypes.map(({ kind }) => kind), 'llamafile'];
    expect(KINDS_WITH_PULL_WORDS.filter((kind) => !kinds.includes(kind))).toEqual([]);
  });
});
