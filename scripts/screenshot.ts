// scripts/screenshot [--out FILE] [--size COLSxROWS]: see the script of that name.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeHome, type Home } from '../test/support/home.js';
import { openPty, type PtySession } from '../test/support/pty.js';
import { startScriptedServer } from '../test/support/scripted-server.js';
import { screenSvg } from './picture/cells-svg.js';
import { rewriteRecord } from './picture/pictured-record.js';
import {
  ANSWER,
  DRAFT,
  LLAMA_CPP_MODELS,
  LOG_LINES,
  OLLAMA_MODELS,
  QUESTION,
  SPEED,
  THINKING,
} from './picture/scene.js';

declare const PROJECT_ROOT: string;

/** The name of the pictured machine, as the title of its pane says it. */
const HOST_NAME = `--import "data:text/javascript,import os from 'node:os'; os.hostname = () => 'gpu-box'"`;

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: path.join(PROJECT_ROOT, 'docs', 'screenshot.svg') },
    size: { type: 'string', default: '124x36' },
  },
});
const size = /^(\d+)x(\d+)$/.exec(values.size);
if (size === null) fail(`--size is COLSxROWS, e.g. 124x36, not ${values.size}`);
const [columns, rows] = [Number(size[1]), Number(size[2])];
const png = values.out.endsWith('.png');
if (png && spawnSync('rsvg-convert', ['--version']).status !== 0)
  fail('a PNG needs rsvg-convert; take --out FILE.svg');

const home = makeHome();
try {
  const record = await play(home);
  const session = open(home, ['--replay', record, '--speed', '0'], { NODE_OPTIONS: HOST_NAME });
  await session.waitFor(DRAFT, 20_000);
  await session.quiet(800);
  write(
    screenSvg(
      session.xterm,
      'lmapp: models, machine, chat and log on one screen',
      session.modes().cursorVisible,
    ),
  );
  session.close();
} finally {
  home.remove();
}
process.exit(0);

/** Holds the pictured chat with scripted servers and returns its record, with the scene's readings and times. */
async function play(at: Home): Promise<string> {
  const pieces = (text: string): string[] => text.match(/\s*\S+\s*?(?=\s|$)/g) ?? [];
  const ollama = await startScriptedServer({ kind: 'ollama', models: OLLAMA_MODELS });
  const llamaCpp = await startScriptedServer({ kind: 'llama.cpp', models: LLAMA_CPP_MODELS });
  ollama.play({
    thinking: pieces(THINKING),
    answer: pieces(ANSWER),
    tokensPerSecond: SPEED * 4,
    // The picture is taken in mid-answer.
    failure: { kind: 'hang', after: pieces(THINKING).length + pieces(ANSWER).length - 1 },
  });
  const log = path.join(at.folder, 'ollama.log');
  const recorded = path.join(at.folder, 'recorded.ndjson');
  const pictured = path.join(at.folder, 'pictured.ndjson');
  fs.writeFileSync(log, '');

  const session = open(at, [
    ...['--no-discovery', '--url', ollama.url, '--url', llamaCpp.url],
    ...['--follow', log, '--record', recorded],
  ]);
  await session.waitFor('qwen3:8b', 15_000);
  await session.waitFor(/smollm2/, 15_000);
  fs.appendFileSync(log, LOG_LINES.join('\n') + '\n');
  await session.waitFor('truncating input prompt');
  session.type(QUESTION);
  await session.waitFor(QUESTION);
  session.type('\r');
  await session.waitFor(/cut\s+in/, 30_000);
  // The last pieces; then nothing more comes.
  await session.quiet(400);
  session.type(DRAFT);
  await session.waitFor(DRAFT);
  session.signal('SIGTERM');
  await session.exited;
  await Promise.all([ollama.close(), llamaCpp.close()]);

  const addresses = new Map([
    [`127.0.0.1:${ollama.port}`, '127.0.0.1:11434'],
    [`127.0.0.1:${llamaCpp.port}`, '127.0.0.1:8080'],
    [at.folder, '/var/log'],
  ]);
  rewriteRecord(recorded, pictured, addresses);
  return pictured;
}

function open(at: Home, args: readonly string[], env: Readonly<Record<string, string>> = {}): PtySession {
  const program = path.join(PROJECT_ROOT, 'dist', 'main.js');
  return openPty(process.execPath, [program, 'tui', ...args], {
    columns,
    rows,
    env: { ...at.env, TZ: 'UTC', ...env },
  });
}

function write(svg: string): void {
  fs.mkdirSync(path.dirname(values.out), { recursive: true });
  if (!png) fs.writeFileSync(values.out, svg);
  else spawnSync('rsvg-convert', ['--zoom', '2', '-o', values.out], { input: svg });
  console.log(values.out);
}

function fail(message: string): never {
  console.error(`screenshot: ${message}`);
  process.exit(2);
}
