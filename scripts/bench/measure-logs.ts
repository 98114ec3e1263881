import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome } from '../../test/support/home.js';
import { readyDashboard, send, serverArgs } from './dashboard.js';
import { measureLogOpening } from './measure-log-opening.js';
import { typeKeys, writerProgram } from './measure-keys.js';
import { pause, residentBytes } from './process-use.js';
import { percentile, type Line } from './report.js';
import { startServerChild } from './server-child.js';

const LINES_PER_SECOND = 5000;
const SOURCES = 4;
const SECONDS = { whole: 600, quick: 30 } as const;
const TOKENS_PER_SECOND = 100;
/** Keys of one go; then the message box is emptied. */
const KEYS = 24;

/** 5,000 lines a second for ten minutes, from two files and two commands, while an answer streams and somebody types. */
export async function measureLogs(quick: boolean): Promise<readonly Line[]> {
  const opening = await measureLogOpening();
  const seconds = quick ? SECONDS.quick : SECONDS.whole;
  const rate = LINES_PER_SECOND / SOURCES;
  const total = rate * seconds;
  const home = makeHome();
  const server = await startServerChild({ kind: 'ollama' });
  await server.play({ answer: TOKENS_PER_SECOND * (seconds + 60), tokensPerSecond: TOKENS_PER_SECOND });
  const files = ['a.log', 'b.log'].map((name) => path.join(home.folder, name));
  for (const file of files) fs.writeFileSync(file, '');
  const writer = [process.execPath, writerProgram()];
  const commands = [1, 2].map(
    (n) => `cmd:exec ${writer.join(' ')} /dev/stdout ${rate} ${total} ${'x'.repeat(n)}`,
  );
  const session = await readyDashboard(home, [
    ...serverArgs(server.url),
    ...[...files, ...commands].flatMap((place) => ['--follow', place]),
  ]);
  const writers = files.map((file) =>
    spawn(process.execPath, [writerProgram(), file, String(rate), String(total)]),
  );
  try {
    await send(session, 'go');
    const until = performance.now() + (seconds - 2) * 1000;
    const keys: number[] = [];
    const memory: number[] = [];
    let lost = 0;
    while (performance.now() < until) {
      const typed = await typeKeys(session, KEYS);
      keys.push(...typed.samples);
      lost += typed.lost;
      memory.push(residentBytes(session.pid));
      session.type('\x15');
      await pause(300);
    }
    const name = `${LINES_PER_SECOND.toLocaleString('en')} log lines/s of ${SOURCES} sources for ${seconds} s`;
    const early = memory.slice(Math.floor(memory.length * 0.2), Math.ceil(memory.length * 0.4));
    const late = memory.slice(-Math.ceil(memory.length * 0.2));
    return [
      ...opening,
      {
        name: `${name}, key to screen, p50`,
        value: percentile(keys, 0.5),
        unit: 'ms',
        base: null,
        atMost: 15,
      },
      {
        name: `${name}, key to screen, slowest`,
        value: Math.max(...keys),
        unit: 'ms',
        base: null,
        atMost: 100,
        note: `${keys.length} keys`,
      },
      { name: `${name}, keys lost`, value: lost, unit: 'keys', base: null, atMost: 0 },
      {
        name: `${name}, memory growth`,
        value: (percentile(late, 0.5) - percentile(early, 0.5)) / 1e6,
        unit: 'MB',
        base: null,
        atMost: 10,
        note: `highest ${Math.round(Math.max(...memory) / 1e6)} MB`,
      },
    ];
  } finally {
    for (const each of writers) each.kill();
    await session.close();
    home.remove();
    server.close();
  }
}
