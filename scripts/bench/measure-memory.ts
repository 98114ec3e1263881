import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome, type Home } from '../../test/support/home.js';
import { openDashboard, quit, readyDashboard, send, serverArgs } from './dashboard.js';
import { writeLongRecord } from './long-record.js';
import { writerProgram } from './measure-keys.js';
import { residentBytes, settledBytes } from './process-use.js';
import type { Line } from './report.js';
import { startServerChild } from './server-child.js';

/** Whether memory stays where it is when a chat and a log grow. */
export async function measureMemory(quick: boolean): Promise<readonly Line[]> {
  const home = makeHome();
  try {
    return [await longChat(home), await longLog(home, quick ? 200_000 : 1_000_000)];
  } finally {
    home.remove();
  }
}

/** Plays records of chats back: 500 turns are 1,000 messages. */
async function longChat(home: Home): Promise<Line> {
  const name = 'memory from message 1,000 to message 10,000';
  const recorded = path.join(home.folder, 'short.ndjson');
  const server = await startServerChild({ kind: 'ollama' });
  await server.play({ answer: 20, endMark: '\n~END~' });
  const recording = await readyDashboard(home, [...serverArgs(server.url), '--record', recorded]);
  await send(recording, 'go');
  await recording.until('~END~');
  await quit(recording);
  server.close();

  const after = async (turns: number): Promise<number> => {
    const file = path.join(home.folder, `${turns}.ndjson`);
    writeLongRecord(recorded, file, turns);
    const session = openDashboard(home, ['--replay', file, '--speed', '0']);
    await session.until(`PLAYED-${turns}`, 120_000);
    await session.until(`question ${turns} of`);
    const bytes = await settledBytes(session.pid, 4_000);
    await session.close();
    return bytes;
  };
  const [short, long] = [await after(500), await after(5_000)];
  return {
    name,
    value: (long - short) / 1e6,
    unit: 'MB',
    base: null,
    atMost: 10,
    note: `${Math.round(long / 1e6)} MB at the end`,
  };
}

/** A followed file that grows by 50,000 lines a second; from the time when the ring is full. */
async function longLog(home: Home, lines: number): Promise<Line> {
  const log = path.join(home.folder, 'long.log');
  fs.writeFileSync(log, '');
  const server = await startServerChild({ kind: 'ollama' });
  const session = await readyDashboard(home, [...serverArgs(server.url), '--follow', log]);
  const writer = spawn(process.execPath, [writerProgram(), log, '50000', String(lines)]);
  const samples: number[] = [];
  const sampling = setInterval(() => samples.push(residentBytes(session.pid)), 250);
  await session.until('LOG-END', 180_000);
  clearInterval(sampling);
  const settled = await settledBytes(session.pid, 3_000);
  const early = samples.slice(Math.floor(samples.length * 0.2), Math.floor(samples.length * 0.35));
  const line: Line = {
    name: `memory growth over ${lines.toLocaleString('en')} log lines`,
    value: (settled - Math.min(...early)) / 1e6,
    unit: 'MB',
    base: null,
    atMost: 10,
    note: `from a fifth of them to the end; highest ${Math.round(Math.max(...samples) / 1e6)} MB`,
  };
  writer.kill();
  await session.close();
  server.close();
  return line;
}
