import { openSession } from './terminal-session.js';
import { makeHome, type Home } from '../../test/support/home.js';
import { MESSAGE_BOX, MODEL_NAME, openDashboard, serverArgs } from './dashboard.js';
import { pause, settledBytes } from './process-use.js';
import { median, type Line } from './report.js';
import { startServerChild } from './server-child.js';

/** Stands nowhere in the first frame. */
const KEY = '`';

interface Start {
  /** The message box is there and has shown a typed key. */
  readonly usableMs: number;
  readonly modelsMs: number;
}

/** How fast it is there, and how much memory it has then. */
export async function measureStart(quick: boolean): Promise<readonly Line[]> {
  const server = await startServerChild({ kind: 'ollama' });
  const warm = makeHome();
  const runs = quick ? 5 : 15;
  const [bare, first, second]: [number[], Start[], Start[]] = [[], [], []];
  try {
    await startOnce(warm, server.url);
    for (let run = 0; run < runs; run += 1) {
      bare.push(await bareStart());
      const cold = makeHome();
      first.push(await startOnce(cold, server.url));
      cold.remove();
      second.push(await startOnce(warm, server.url));
    }
    const base = { name: 'node -e 0', value: median(bare) };
    const usable = (starts: readonly Start[]): number => median(starts.map((s) => s.usableMs));
    const models = (starts: readonly Start[]): number =>
      median(starts.map((s) => Math.max(0, s.modelsMs - s.usableMs)));
    return [
      {
        name: 'first usable frame, second start',
        value: usable(second),
        unit: 'ms',
        base,
        atMost: 2.2,
        note: `p50 of ${runs}`,
      },
      {
        name: 'first usable frame, first start',
        value: usable(first),
        unit: 'ms',
        base,
        atMost: 2.2,
        note: 'nothing cached',
      },
      {
        name: 'models on the screen after that, second start',
        value: models(second),
        unit: 'ms',
        base: null,
        atMost: 300,
      },
      {
        name: 'models on the screen after that, first start',
        value: models(first),
        unit: 'ms',
        base: null,
        atMost: 300,
      },
      await memoryAfterStart(warm, server.url),
    ];
  } finally {
    warm.remove();
    server.close();
  }
}

async function bareStart(): Promise<number> {
  const session = openSession({ command: process.execPath, args: ['-e', '0'] });
  const { at } = await session.untilExit();
  await session.close();
  return at - session.startedAt;
}

async function startOnce(home: Home, url: string): Promise<Start> {
  const session = openDashboard(home, serverArgs(url));
  const models = session.until(MODEL_NAME);
  // The emulator takes its time, which is none of the program's and which "node -e 0" does not have: when it was written counts, and what is
  // on the emulator's screen is looked at as well.
  await session.untilWritten(MESSAGE_BOX);
  session.type(KEY);
  const usableAt = await session.untilWritten(KEY);
  await session.until(MESSAGE_BOX);
  await session.until(KEY);
  const modelsAt = await models;
  // It finishes what it does behind the first frame (caches on disk), so that the next start has it.
  await pause(200);
  session.kill('SIGTERM');
  await session.untilExit();
  await session.close();
  return { usableMs: usableAt - session.startedAt, modelsMs: modelsAt - session.startedAt };
}

async function memoryAfterStart(home: Home, url: string): Promise<Line> {
  const bare = openSession({
    command: process.execPath,
    args: ['-e', 'console.log("up");setInterval(()=>{},1e6)'],
  });
  await bare.until('up');
  const session = openDashboard(home, serverArgs(url));
  await session.until(MODEL_NAME);
  const line: Line = {
    name: 'memory after start (RSS)',
    value: (await settledBytes(session.pid, 3_000)) / 1e6,
    unit: 'MB',
    base: { name: 'bare node', value: (await settledBytes(bare.pid, 300)) / 1e6 },
    atMost: 2.2,
  };
  await session.close();
  await bare.close();
  return line;
}
