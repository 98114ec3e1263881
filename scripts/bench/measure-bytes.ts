import { makeHome } from '../../test/support/home.js';
import { readyDashboard, send, serverArgs } from './dashboard.js';
import { pause } from './process-use.js';
import type { Line } from './report.js';
import { startServerChild, type ServerChild } from './server-child.js';

/** What goes over the line: while an answer streams, at rest with gauges, and at rest without. */
export async function measureBytes(quick: boolean): Promise<readonly Line[]> {
  const server = await startServerChild({ kind: 'ollama' });
  const seconds = quick ? 4 : 12;
  try {
    return [
      ...(await whileStreaming(server, seconds)),
      await atRest(server, seconds, 'bytes per second at rest, gauges at 1 Hz', {}, 1000),
      await atRest(server, seconds, 'bytes per second at rest, gauges hidden', { layout: 'chat' }, 0),
    ];
  } finally {
    server.close();
  }
}

async function whileStreaming(server: ServerChild, seconds: number): Promise<readonly Line[]> {
  const home = makeHome();
  await server.play({ answer: seconds * 500, tokensPerSecond: 500, endMark: '\n\n~END~' });
  const session = await readyDashboard(home, serverArgs(server.url));
  await send(session, 'go');
  // The first screenful fills an empty pane; what counts is the state that lasts.
  await session.until((s) => s.frames > 40 || s.chunks > 120);
  const before = {
    bytes: session.bytes,
    frames: session.frames,
    chunks: session.chunks,
    at: performance.now(),
  };
  await session.until('~END~', 60_000);
  const passed = (performance.now() - before.at) / 1000;
  const acknowledged = session.frames - before.frames;
  const frames = acknowledged > 0 ? acknowledged : session.chunks - before.chunks;
  const bytes = session.bytes - before.bytes;
  await session.close();
  home.remove();
  const how = acknowledged > 0 ? 'frames by their DSR' : 'frames by writes';
  return [
    {
      name: 'bytes per frame at 500 tok/s',
      value: bytes / frames,
      unit: 'B',
      base: null,
      atMost: 700,
      note: how,
    },
    {
      name: 'bytes per token at 500 tok/s',
      value: bytes / (passed * 500),
      unit: 'B',
      base: null,
      atMost: null,
    },
    { name: 'frames per second at 500 tok/s', value: frames / passed, unit: '/s', base: null, atMost: null },
  ];
}

async function atRest(
  server: ServerChild,
  seconds: number,
  name: string,
  settings: Readonly<Record<string, unknown>>,
  atMost: number,
): Promise<Line> {
  const home = makeHome();
  home.configure(settings);
  const session = await readyDashboard(home, serverArgs(server.url));
  await pause(2_000);
  const before = session.bytes;
  await pause(seconds * 1000);
  const value = (session.bytes - before) / seconds;
  await session.close();
  home.remove();
  return { name, value, unit: 'B/s', base: null, atMost };
}
