import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { followFile } from '../../src/logs/tail.js';
import { systemClock } from '../../src/ports.js';
import { percentile, type Line } from './report.js';

const LARGE_BYTES = 10 * 1024 ** 3;
const TIMES = 40;
/** More than is read of the end. */
const LINES = 2000;

/** How long a file takes from its name to its last lines, parsed: one of 10 GB against one that is hardly larger than what is read of it. */
export async function measureLogOpening(): Promise<readonly Line[]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-bench-'));
  try {
    const [large, small] = [path.join(folder, 'large.log'), path.join(folder, 'small.log')];
    const lines = Array.from(
      { length: LINES },
      (_, i) => `time=2026-01-02T03:04:05.678Z level=INFO source=server.go:${i} msg="request ${i} is done"\n`,
    ).join('');
    for (const [file, bytes] of [
      [large, LARGE_BYTES],
      [small, 0],
    ] as const) {
      fs.writeFileSync(file, '');
      // A hole: it has the size and takes no room on the disk.
      fs.truncateSync(file, bytes);
      fs.appendFileSync(file, `\n${lines}`);
      await openingMs(file);
    }
    const times: Record<string, number[]> = { [large]: [], [small]: [] };
    for (let i = 0; i < TIMES; i++)
      for (const file of [large, small]) times[file]?.push(await openingMs(file));
    const median = (file: string): number => percentile(times[file] ?? [], 0.5);
    return [
      {
        name: 'log of 10 GB opened at its end, p50',
        value: median(large),
        unit: 'ms',
        base: { name: 'log of 0.2 MB', value: median(small) },
        atMost: 2,
        note: `${TIMES} times each, in turns`,
      },
      {
        name: 'log of 10 GB opened at its end, p95',
        value: percentile(times[large] ?? [], 0.95),
        unit: 'ms',
        base: null,
        atMost: 100,
      },
    ];
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** From the first look at the file to its last line. */
async function openingMs(file: string): Promise<number> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const source = followFile({
      file,
      clock: systemClock,
      onLines(taken) {
        if (taken.at(-1)?.text.includes(`request ${LINES - 1} is done`) !== true) return;
        resolve(performance.now() - start);
        source.stop();
      },
      onState({ state, reason }) {
        if (state !== 'following') reject(new Error(reason ?? state));
      },
    });
  });
}
