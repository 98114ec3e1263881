import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { appendLines, emptyRing, type LogRing } from '../../src/domain/log-ring.js';
import { readPlace } from '../../src/domain/log-place.js';
import type { LogSource } from '../../src/logs/log-source.js';
import { openSource } from '../../src/logs/open-source.js';
import { systemClock } from '../../src/ports.js';

const LINES = 200_000;
let folder = '';
const sources: LogSource[] = [];
const writers: ChildProcess[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-many-'));
});
afterEach(() => {
  for (const source of sources.splice(0)) source.stop();
  for (const writer of writers.splice(0)) writer.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
});

describe('four sources that write as fast as they can', () => {
  it('are kept within the memory that they may take, and every line is shown or counted', async () => {
    const files = ['a.log', 'b.log'].map((name) => path.join(folder, name));
    for (const file of files) fs.writeFileSync(file, '');
    const program = `for (let i = 0; i < ${LINES}; i += 1000) process.stdout.write(Array.from({ length: 1000 }, (_, k) => 'line ' + (i + k) + ' of a server that has much to say\\n').join(''))`;
    const script = path.join(folder, 'write.cjs');
    fs.writeFileSync(script, program);
    const command = `cmd:${process.execPath} ${script}; exec sleep 60`;
    const capBytes = 1024 * 1024;
    const rings = new Map<string, LogRing>();
    let most = 0;
    const started = new Set<string>();
    for (const [i, text] of [...files, command, `${command} `].entries()) {
      const read = readPlace(text);
      if (!read.ok) throw new Error(read.reason);
      const name = `${i}`;
      rings.set(name, emptyRing(capBytes));
      sources.push(
        openSource({
          place: read.place,
          source: name,
          ports: { clock: systemClock, env: process.env, platform: process.platform },
          lines: 100,
          onLines(lines, skipped) {
            const ring = appendLines(rings.get(name) ?? emptyRing(capBytes), lines, skipped);
            rings.set(name, ring);
            most = Math.max(most, ring.bytes);
          },
          onState: () => started.add(name),
        }),
      );
    }
    const until = async (holds: () => boolean): Promise<void> => {
      const end = performance.now() + 30_000;
      while (!holds() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    await until(() => started.size === 4);
    for (const file of files)
      writers.push(
        spawn(process.execPath, [script], { stdio: ['ignore', fs.openSync(file, 'a'), 'ignore'] }),
      );
    const counted = (): number[] => [...rings.values()].map((ring) => ring.end + ring.skipped);
    await until(() => counted().every((count) => count >= LINES));
    expect(counted()).toEqual([LINES, LINES, LINES, LINES]);
    expect(most).toBeLessThanOrEqual(capBytes);
  }, 60_000);
});
