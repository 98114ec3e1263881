import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openSession, type TerminalSession } from './terminal-session.js';
import { makeHome } from '../../test/support/home.js';
import { readyDashboard, send, serverArgs } from './dashboard.js';
import { pause, treeCpuMs } from './process-use.js';
import type { Line } from './report.js';
import { startServerChild, type ServerChild } from './server-child.js';

interface Stream {
  readonly kind: 'ollama' | 'llama.cpp';
  readonly tokens: number;
  readonly perSecond: number;
}

/** What an answer costs, against a program that only reads it and against curl. */
export async function measureCpu(quick: boolean): Promise<readonly Line[]> {
  const streams: readonly Stream[] = quick
    ? [{ kind: 'ollama', tokens: 3_000, perSecond: 500 }]
    : [
        { kind: 'ollama', tokens: 10_000, perSecond: 500 },
        { kind: 'llama.cpp', tokens: 10_000, perSecond: 500 },
        { kind: 'ollama', tokens: 10_000, perSecond: 100 },
      ];
  const lines: Line[] = [];
  for (const stream of streams) lines.push(...(await measureStream(stream)));
  return lines;
}

async function measureStream(stream: Stream): Promise<readonly Line[]> {
  const server = await startServerChild({ kind: stream.kind });
  const endMark = `\n\n~END${stream.perSecond}~`;
  const play = (): Promise<void> =>
    server.play({ answer: stream.tokens, tokensPerSecond: stream.perSecond, endMark });
  try {
    await play();
    const ours = await dashboardCpu(server, stream, endMark.trim());
    const reader = await readerCpu(server, stream);
    const name = `CPU for 10,000 tokens at ${stream.perSecond} tok/s, ${stream.kind}`;
    const scale = 10_000 / stream.tokens;
    const note = stream.tokens === 10_000 ? undefined : `from ${stream.tokens}`;
    const figure = { name, value: ours * scale, unit: 'ms', ...(note !== undefined && { note }) };
    const lines: Line[] = [
      { ...figure, base: { name: 'reads and parses only', value: reader * scale }, atMost: 3.5 },
    ];
    if (!hasCurl()) return [...lines, { name, reason: 'there is no curl on this machine' }];
    const curl = await curlCpu(server, stream, endMark.trim());
    return [...lines, { ...figure, base: { name: 'curl -N in a pty', value: curl * scale }, atMost: 3 }];
  } finally {
    server.close();
  }
}

async function dashboardCpu(server: ServerChild, stream: Stream, endMark: string): Promise<number> {
  const home = makeHome();
  const session = await readyDashboard(home, serverArgs(server.url));
  await untilIdle(session.pid);
  const before = treeCpuMs(session.pid);
  await send(session, 'go');
  await session.until(endMark, longEnough(stream));
  const used = treeCpuMs(session.pid) - before;
  await session.close();
  home.remove();
  return used;
}

async function readerCpu(server: ServerChild, stream: Stream): Promise<number> {
  const program = fileURLToPath(new URL('./reader.program.mjs', import.meta.url));
  const session = openSession({ command: process.execPath, args: [program, server.url, stream.kind] });
  await session.until('ready');
  const before = treeCpuMs(session.pid);
  session.type('go\r');
  // It has nothing more to do then but stays, as stdin is open.
  await session.until(/done \d+/, longEnough(stream));
  const used = treeCpuMs(session.pid) - before;
  await session.close();
  return used;
}

/** curl runs under a shell that stays, so that its time can still be read when it has ended. */
async function curlCpu(server: ServerChild, stream: Stream, endMark: string): Promise<number> {
  const path = stream.kind === 'ollama' ? '/api/chat' : '/v1/chat/completions';
  const body = JSON.stringify({
    model: 'scripted:1b',
    stream: true,
    messages: [{ role: 'user', content: 'go' }],
  });
  const script = `curl -sN "$1" -d "$2"; echo CURL-ENDED; read line`;
  const session: TerminalSession = openSession({
    command: '/bin/sh',
    args: ['-c', script, 'sh', server.url + path, body],
  });
  await session.until(endMark, longEnough(stream));
  await session.until('CURL-ENDED');
  const used = treeCpuMs(session.pid);
  await session.close();
  return used;
}

/** What is done once behind the first frame (facts of the machine, caches) is no cost of the answer. */
async function untilIdle(pid: number): Promise<void> {
  const enoughMs = 2_500;
  const idleMs = 30;
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    const before = treeCpuMs(pid);
    await pause(enoughMs);
    if (treeCpuMs(pid) - before <= idleMs) return;
  }
}

const longEnough = (stream: Stream): number => 20_000 + (stream.tokens * 2_000) / stream.perSecond;

function hasCurl(): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => fs.existsSync(`${folder}/curl`));
}
