/** The embedded engine with a stand-in for node-llama-cpp: a real child, real signals, words for tokens. */
import fs from 'node:fs';
import path from 'node:path';
import { embedded } from '../../src/backends/embedded.js';
import type { Backend, BackendPorts, ChatEvent, ChatRequest } from '../../src/backends/backend.js';
import type { Model } from '../../src/domain/model.js';
import type { LocalModelFile } from '../../src/domain/model-file.js';
import { installPlan } from '../../src/engine/install-plan.js';
import { STAMP_FILE } from '../../src/engine/installed.js';
import { openEmbeddedSource } from '../../src/engine/open-source.js';
import type { EmbeddedSource } from '../../src/engine/source.js';
import type { Clock } from '../../src/ports.js';

const FAKE = path.resolve('test/fixtures/fake-engine/index.js');

/** Puts the stand-in where an installed engine lies. */
export function placeFakeEngine(directory: string): void {
  const plan = installPlan(process.platform, process.arch, null);
  placeFakePackage(directory);
  const stamp = { version: plan?.version, system: plan?.system, parts: plan?.parts, installedAt: 1 };
  fs.writeFileSync(path.join(directory, STAMP_FILE), JSON.stringify(stamp));
}

/** The package alone, as npm leaves it. */
export function placeFakePackage(directory: string): void {
  const place = path.join(directory, 'node_modules', 'node-llama-cpp');
  fs.mkdirSync(path.join(place, 'dist'), { recursive: true });
  fs.writeFileSync(path.join(place, 'package.json'), '{"type":"module"}');
  fs.copyFileSync(FAKE, path.join(place, 'dist', 'index.js'));
}

/** What a model of the stand-in does; see the stand-in itself. */
export interface FakeModel {
  readonly answer?: string;
  readonly contextMax?: number;
  /** The prompt stops before its third slice until this file is there. */
  readonly gate?: string;
  /** The load stops at its half until this file is there. */
  readonly loadGate?: string;
  readonly tooLarge?: boolean;
}

/** A call of the stand-in. */
export interface FakeCall {
  readonly call: string;
  readonly pid: number;
  readonly tokens?: number;
  readonly read?: number;
  readonly contextSize?: number;
  readonly type?: string;
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
}

export interface FakeMachine {
  readonly source: EmbeddedSource;
  readonly backend: Backend;
  readonly logged: readonly string[];
  model(name: string): Promise<Model>;
  calls(name: string): readonly FakeCall[];
}

export interface FakeMachineOptions {
  readonly folder: string;
  readonly childPath: string;
  readonly clock: Clock;
  /** By name; a text is written as it is. */
  readonly models: Readonly<Record<string, FakeModel | string>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A machine with the stand-in and these models. */
export function fakeMachine({ folder, childPath, clock, models, env }: FakeMachineOptions): FakeMachine {
  const directory = path.join(folder, 'engine');
  placeFakeEngine(directory);
  const files = Object.entries(models).map(([name, model]) => {
    const file = path.join(folder, `${name}.gguf`);
    fs.writeFileSync(file, typeof model === 'string' ? model : JSON.stringify(model));
    return modelFile(name, file);
  });
  const logged: string[] = [];
  const source = openEmbeddedSource({
    directory,
    childPath,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    clock,
    files: () => Promise.resolve(files),
    pulls: () => Promise.reject(new Error('nothing is pulled here')),
    onLog: (_level, text) => logged.push(text),
  });
  const ports: BackendPorts = {
    now: clock.now,
    monotonic: clock.monotonic,
    after: clock.after.bind(clock),
    embedded: source,
  };
  const backend = embedded.create({ url: '', key: null }, ports);
  return {
    source,
    backend,
    logged,
    async model(name) {
      const found = (await backend.models(new AbortController().signal)).find((each) => each.name === name);
      if (!found) throw new Error(`no model ${name}`);
      return found;
    },
    calls: (name) => callsOf(path.join(folder, `${name}.gguf`)),
  };
}

/** What the stand-in was asked with this model file. */
export function callsOf(file: string): readonly FakeCall[] {
  const calls = `${file}.calls.ndjson`;
  if (!fs.existsSync(calls)) return [];
  return fs
    .readFileSync(calls, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FakeCall);
}

/** A request with one message; `more` goes before it. */
export function asks(
  model: Model,
  text: string,
  more: Partial<ChatRequest> & { readonly before?: ChatRequest['messages'] } = {},
): ChatRequest {
  const { before = [], ...rest } = more;
  return {
    model,
    messages: [...before, { role: 'user', content: text }],
    keepAlive: '',
    firstByteTimeoutMs: 0,
    idleTimeoutMs: 0,
    ...rest,
  };
}

/** All events; each is told to `onEvent` when it comes. */
export async function collected(
  stream: AsyncIterable<ChatEvent>,
  onEvent: (event: ChatEvent) => void = () => undefined,
): Promise<readonly ChatEvent[]> {
  const events: ChatEvent[] = [];
  for await (const event of stream) {
    events.push(event);
    onEvent(event);
  }
  return events;
}

export function textOf(events: readonly ChatEvent[]): string {
  return events.map((event) => (event.type === 'text' ? event.text : '')).join('');
}

/** Of a process; one that only its parent has not asked after is gone. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z';
  } catch (error) {
    // Where there is no /proc the signal has told it.
    return (error as { code?: string }).code === 'ENOENT' && process.platform !== 'linux';
  }
}

/** Resolves when it holds; the test's own limit ends a wait in vain. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

function modelFile(name: string, file: string): LocalModelFile {
  return {
    path: file,
    name,
    sizeBytes: 1000,
    quantization: 'Q4_K_M',
    family: 'llama',
    parameters: '1B',
    contextMax: 8192,
    digest: name,
    owner: 'lmapp',
    kvBytesPerToken: null,
    problem: null,
    chat: true,
    capabilities: null,
  };
}
