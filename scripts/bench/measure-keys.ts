import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LinkOptions } from './slow-link.js';
import type { TerminalSession } from './terminal-session.js';
import { makeHome } from '../../test/support/home.js';
import { readyDashboard, send, serverArgs } from './dashboard.js';
import { pause } from './process-use.js';
import { percentile, type Line } from './report.js';
import { startServerChild } from './server-child.js';

interface Case {
  readonly name: string;
  readonly tokensPerSecond: number;
  readonly logLinesPerSecond: number;
  readonly link: LinkOptions | null;
  readonly p50: number;
  readonly p95: number;
}

const SLOW: LinkOptions = { bytesPerSecond: 10_000, delayMs: 20, bufferBytes: 2_000_000 };

const CASES: readonly Case[] = [
  { name: '500 tok/s', tokensPerSecond: 500, logLinesPerSecond: 0, link: null, p50: 15, p95: 40 },
  {
    name: '500 tok/s, 10 kB/s line',
    tokensPerSecond: 500,
    logLinesPerSecond: 0,
    link: SLOW,
    p50: 80,
    p95: 200,
  },
  {
    name: '2,000 tok/s, 5,000 log lines/s',
    tokensPerSecond: 2_000,
    logLinesPerSecond: 5_000,
    link: null,
    p50: 15,
    p95: 40,
  },
  {
    name: '2,000 tok/s, 5,000 log lines/s, 10 kB/s line',
    tokensPerSecond: 2_000,
    logLinesPerSecond: 5_000,
    link: SLOW,
    p50: 80,
    p95: 200,
  },
];

/** Letters that follow each other nowhere else on the screen, so that a prefix of them is found only in the message box. */
const TYPED = 'QZXJVKWQXZVJQKZXWJVZQXKJWVZXQJKVWZQJXKVZWQXVJZKQ';

/** From a key to its letter on the screen while an answer streams. */
export async function measureKeys(quick: boolean): Promise<readonly Line[]> {
  const lines: Line[] = [];
  for (const one of CASES) lines.push(...(await measureCase(one, quick ? 16 : TYPED.length)));
  return lines;
}

async function measureCase(one: Case, keys: number): Promise<readonly Line[]> {
  const server = await startServerChild({ kind: 'ollama' });
  const home = makeHome();
  const log = path.join(home.folder, 'server.log');
  fs.writeFileSync(log, '');
  await server.play({ answer: one.tokensPerSecond * 120, tokensPerSecond: one.tokensPerSecond });
  const args = one.logLinesPerSecond > 0 ? ['--follow', log] : [];
  const session = await readyDashboard(
    home,
    [...serverArgs(server.url), ...args],
    one.link === null ? {} : { link: one.link },
  );
  const writer =
    one.logLinesPerSecond > 0
      ? spawn(process.execPath, [writerProgram(), log, String(one.logLinesPerSecond)])
      : null;
  try {
    await send(session, 'go');
    await pause(1_500);
    const { samples, lost } = await typeKeys(session, keys);
    const name = `key to screen at ${one.name}`;
    return [
      { name: `${name}, p50`, value: percentile(samples, 0.5), unit: 'ms', base: null, atMost: one.p50 },
      {
        name: `${name}, p95`,
        value: percentile(samples, 0.95),
        unit: 'ms',
        base: null,
        atMost: one.p95,
        note: `${keys} keys`,
      },
      { name: `${name}, keys lost`, value: lost, unit: 'keys', base: null, atMost: 0 },
    ];
  } finally {
    writer?.kill();
    await session.close();
    home.remove();
    server.close();
  }
}

/** Types key after key, not in step with the frames, and takes the time until each is on the screen. */
export async function typeKeys(
  session: TerminalSession,
  keys: number,
): Promise<{ samples: number[]; lost: number }> {
  const samples: number[] = [];
  let lost = 0;
  for (let count = 1; count <= keys; count += 1) {
    const typed = TYPED.slice(0, count);
    const at = performance.now();
    session.type(TYPED.charAt(count - 1));
    const seenAt = await session
      .until((s) => s.screen().some((row) => row.includes(typed)), 5_000)
      .catch(() => null);
    if (seenAt === null) lost += 1;
    else samples.push(seenAt - at);
    await pause(100 + ((count * 37) % 71));
  }
  return { samples, lost };
}

export function writerProgram(): string {
  return fileURLToPath(new URL('./log-writer.program.mjs', import.meta.url));
}
