// scripts/pictures [--first] [--url URL] [--out FOLDER]: see the script of that name.
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeHome } from '../test/support/home.js';
import { openPty, type PtySession } from '../test/support/pty.js';
import { screenSvg } from './picture/cells-svg.js';

declare const PROJECT_ROOT: string;

const PROGRAM = path.join(PROJECT_ROOT, 'dist', 'main.js');
const QUESTIONS = [
  'What is a lighthouse? Answer in two sentences.',
  'Why is the sky blue? Explain it in detail.',
];
/** What stands in the phase bar, the last row, at the end of an answer (earlier ones have the same below them), and while one runs. */
const DONE = /tok\/s · first after [^\n]*\s*$/;
const RUNS = /▶ answer [\d.]+ tok\/s/;
const ANSWER_MS = 120_000;
/** After an answer, so that the history shows where each one was. */
const REST_MS = 12_000;
/** Engine and model come over the network. */
const FETCH_MS = 120_000;

const { values } = parseArgs({
  options: {
    first: { type: 'boolean', default: false },
    url: { type: 'string' },
    out: { type: 'string', default: path.join(PROJECT_ROOT, 'docs') },
  },
});
const home = makeHome();
const servers: ChildProcess[] = [];
try {
  await firstRun();
  if (values.first) process.exit(0);
  const url = values.url ?? (await startServer());
  await picture('wide', 124, 36, 'lmapp with models, machine, chat and log', url, async (session) => {
    await asked(session, 0);
    await session.waitFor(DONE, ANSWER_MS);
  });
  await picture('narrow', 80, 24, 'lmapp in 80 columns and 24 rows', url, async (session) => {
    await asked(session, 0);
    await session.waitFor(DONE, ANSWER_MS);
  });
  await picture(
    'machine',
    124,
    36,
    'all that is known of the machine, with three answers',
    url,
    async (session) => {
      for (const at of [0, 0, 1]) {
        await asked(session, at);
        await session.waitFor(DONE, ANSWER_MS);
        await new Promise((resolve) => setTimeout(resolve, REST_MS));
      }
      session.type('\t\t\tz');
      await session.waitFor(/models in memory/, 10_000);
      await session.waitFor(/tok\/s[^\n]*├/, ANSWER_MS);
    },
  );
} finally {
  for (const server of servers) server.kill();
  home.remove();
}
process.exit(0);

/** An empty home without any server: the question of the first run, and the first answer of the model that it fetches. */
async function firstRun(): Promise<void> {
  const empty = makeHome();
  try {
    const session = openPty(process.execPath, [PROGRAM, 'tui', '--no-discovery'], {
      columns: 80,
      rows: 24,
      // The network is reached as it is set up here: proxy, mirrors, certificates.
      env: { ...networkSettings(), ...empty.env, TZ: 'UTC' },
    });
    await session.waitFor('get a small model and run it here', 20_000);
    session.type('\r');
    await session.waitFor('not now', 20_000);
    keep('first-run', 'the first run: one question', session);
    session.type('\r');
    await session.waitFor('comes to this machine', 20_000);
    session.type('What is a lighthouse?\r');
    await session.waitFor(DONE, FETCH_MS);
    // Notices go.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    keep('first-answer', 'the first answer', session);
    session.signal('SIGTERM');
    await session.exited;
  } finally {
    empty.remove();
  }
}

/** Asks, and waits until the answer runs. */
async function asked(session: PtySession, at: number): Promise<void> {
  const question = QUESTIONS[at] ?? '';
  session.type(question);
  await session.waitFor(question.slice(-12), 10_000);
  session.type('\r');
  await session.waitFor(RUNS, ANSWER_MS);
}

async function picture(
  name: string,
  columns: number,
  rows: number,
  title: string,
  url: string,
  play: (session: PtySession) => Promise<void>,
): Promise<void> {
  const session = openPty(process.execPath, [PROGRAM, 'tui', '--no-discovery', '--url', url], {
    columns,
    rows,
    env: { ...home.env, TZ: 'UTC' },
  });
  await session.waitFor(/ready/, 20_000);
  await play(session);
  // The next samples of the machine.
  await new Promise((resolve) => setTimeout(resolve, 3000));
  keep(name, title, session);
  session.signal('SIGTERM');
  await session.exited;
}

function networkSettings(): Readonly<Record<string, string>> {
  const known = /^(?:https?_proxy|no_proxy|hf_|pip_|uv_|npm_config_|node_extra_ca_certs$|ssl_cert)/i;
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      known.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );
}

function keep(name: string, title: string, session: PtySession): void {
  const file = path.join(values.out, `picture-${name}.svg`);
  fs.mkdirSync(values.out, { recursive: true });
  fs.writeFileSync(file, screenSvg(session.xterm, title, session.modes().cursorVisible));
  console.log(file);
}

/** The address that the real server prints when it is ready. */
function startServer(): Promise<string> {
  const started = spawn(path.join(PROJECT_ROOT, 'scripts', 'real-server'), ['--port', '18987'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  servers.push(started);
  return new Promise((resolve, reject) => {
    let printed = '';
    started.stdout.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      const address = /listening (\S+)/.exec(printed)?.[1];
      if (address !== undefined) resolve(address);
    });
    started.once('exit', (code) => reject(new Error(`the real server ended (${String(code)})`)));
  });
}
