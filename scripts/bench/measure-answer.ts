import { systemMs } from '../../test/support/scripted-server.js';
import { makeHome } from '../../test/support/home.js';
import { quit, readyDashboard, send, serverArgs } from './dashboard.js';
import { median, type Line } from './report.js';
import { startServerChild, type ServerChild } from './server-child.js';

/** How late the end of an answer is on the screen, and how long a very fast answer takes. */
export async function measureAnswer(quick: boolean): Promise<readonly Line[]> {
  const server = await startServerChild({ kind: 'ollama' });
  const rounds = quick ? 2 : 5;
  try {
    const atRate = { answer: 1_000, tokensPerSecond: 500 };
    const late: number[] = [];
    for (let round = 0; round < rounds; round += 1)
      late.push((await oneAnswer(server, atRate, round)).lateMs);
    const full: { lateMs: number; tookMs: number; sentMs: number }[] = [];
    for (let round = 0; round < Math.min(3, rounds); round += 1) {
      full.push(await oneAnswer(server, { answer: 20_000, tokensPerSecond: 0 }, round));
    }
    return [
      {
        name: 'end of the answer on the screen after the server sent it, 500 tok/s',
        value: Math.max(...late),
        unit: 'ms',
        base: null,
        atMost: 50,
        note: `worst of ${rounds}, median ${Math.round(median(late))}`,
      },
      {
        name: '20,000 tokens at full rate, from the request to the screen',
        value: median(full.map((run) => run.tookMs)) / 1000,
        unit: 's',
        base: null,
        atMost: 2,
        note: `the server sent them in ${(median(full.map((run) => run.sentMs)) / 1000).toFixed(2)} s`,
      },
    ];
  } finally {
    server.close();
  }
}

async function oneAnswer(
  server: ServerChild,
  script: { readonly answer: number; readonly tokensPerSecond: number },
  round: number,
): Promise<{ lateMs: number; tookMs: number; sentMs: number }> {
  const home = makeHome();
  await server.play({ ...script, endMark: `\n\n~END${round}~` });
  const session = await readyDashboard(home, serverArgs(server.url));
  await send(session, 'go');
  await session.until(`~END${round}~`, 60_000);
  const seenAt = systemMs();
  const trace = (await server.answers()).at(-1);
  await quit(session);
  home.remove();
  if (trace === undefined) throw new Error('the server has seen no request');
  return {
    lateMs: seenAt - trace.lastPieceAt,
    tookMs: seenAt - trace.requestedAt,
    sentMs: trace.lastPieceAt - trace.requestedAt,
  };
}
