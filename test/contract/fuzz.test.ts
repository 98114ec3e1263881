import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChatEvent } from '../../src/backends/backend.js';
import { BackendError } from '../../src/backends/backend.js';
import type { ChatReader } from '../../src/backends/chat-reader.js';
import { OllamaReader } from '../../src/backends/ollama-reader.js';
import { OpenAiReader } from '../../src/backends/openai-reader.js';
import { backendTypes } from '../../src/backends/registry.js';
import type { Fault } from '../../src/domain/fault.js';
import type { Model } from '../../src/domain/model.js';
import { createTurnEvents } from '../../src/effects/chat.js';
import { inPieces, mutate, seeded } from '../support/mutate.js';
import { RawServer, type RawReply } from '../support/raw-server.js';
import { readRecording, RECORDINGS } from '../support/recorded.js';
import { ask, backendAt, modelOf, LOAD } from './answers.js';

/** Byte-mutated recordings of real servers. A failure names the seed of its input; `LMAPP_FUZZ_SEED` begins elsewhere. */
const FIRST_SEED = Number(process.env['LMAPP_FUZZ_SEED'] ?? 1);
const READER_INPUTS = 20_000;
const BACKEND_ROUNDS = 40;

const PLACE = { kind: 'k', title: 'K', startCommand: '', model: 'm' };
/** Control characters that may not reach the screen. */

const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

const NAMES: readonly string[] = readdirSync(RECORDINGS, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.txt'))
  .map((file) => file.replaceAll('\\', '/').replace(/\.txt$/, ''))
  .sort();
const CHATS = NAMES.filter((name) => /\/chat-/.test(name));

function wordsOf({ message, hint }: Fault): string {
  return `${message} ${hint ?? ''}`;
}

function bytesOf(name: string): Buffer {
  return Buffer.from(readRecording(name).bodies.join(''));
}

/** Reads one input to its end and tells what is wrong with what came out, or null. */
function problemOf(reader: ChatReader, bytes: Buffer, random: () => number): string | null {
  const decoder = new TextDecoder('utf-8');
  const events: ChatEvent[] = [];
  for (const piece of inPieces(bytes, random)) {
    if (reader.over) break;
    events.push(...reader.feed(decoder.decode(piece, { stream: true })));
  }
  events.push(...reader.end());
  const verdict = reader.verdict();
  if (!['complete', 'incomplete', 'failed'].includes(verdict.outcome)) return `outcome ${verdict.outcome}`;
  if ((verdict.outcome === 'failed') !== (verdict.fault !== null)) return 'a failure without its fault';
  if (verdict.fault !== null && CONTROL.test(wordsOf(verdict.fault))) return 'control characters in a fault';
  let length = 0;
  const toEvents = createTurnEvents('t');
  for (const event of events) {
    if (event.type === 'ended') return 'a reader ended by itself';
    if (event.type === 'text' || event.type === 'reasoning') length += event.text.length;
    if (event.type === 'usage')
      for (const [name, value] of Object.entries(event.usage))
        if (value !== null && !(Number.isFinite(value) && value >= 0)) return `${name} is ${value}`;
    for (const shown of toEvents(event))
      if ('text' in shown && typeof shown.text === 'string' && CONTROL.test(shown.text))
        return 'control characters in a text';
  }
  // Names of tool calls and notes come on top of what was sent.
  return length > 2 * bytes.length + 1000 ? `${length} characters out of ${bytes.length} bytes` : null;
}

describe.each([
  ['Ollama', 'ollama/', () => new OllamaReader(PLACE)],
  ['OpenAI', 'l', () => new OpenAiReader(PLACE)],
] as const)('mutated streams of the dialect of %s', (_title, prefix, create) => {
  it(`${READER_INPUTS} of them: no crash, no control character, always a final state`, () => {
    const inputs = CHATS.filter((name) => name.startsWith(prefix)).map(bytesOf);
    expect(inputs.length).toBeGreaterThan(3);
    const problems: string[] = [];
    const outcomes = new Set<string>();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + READER_INPUTS; seed++) {
      const random = seeded(seed);
      const bytes = mutate(inputs[Math.floor(random() * inputs.length)] ?? Buffer.alloc(0), random);
      const reader = create();
      const problem = problemOf(reader, bytes, random);
      outcomes.add(reader.verdict().outcome);
      if (problem !== null) problems.push(`seed ${seed}: ${problem}`);
    }
    expect(problems).toEqual([]);
    // All ways of ending were met, or the mutations are too tame.
    expect([...outcomes].sort()).toEqual(['complete', 'failed', 'incomplete']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('mutated answers to every question of every backend', () => {
  let server: RawServer;
  let random = seeded(0);

  beforeAll(async () => {
    server = await RawServer.start();
    server.otherwise(anyRecording);
  });
  afterAll(() => server.stop());

  /** Some recording with something wrong, its head too, and an end of any kind. */
  const anyRecording: RawReply = (socket) => {
    const name = NAMES[Math.floor(random() * NAMES.length)] ?? '';
    const { head, chunked, bodies } = readRecording(name);
    const body = mutate(Buffer.from(bodies.join('')), random);
    const framed = chunked
      ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')])
      : body;
    const told = Buffer.from(head.replace(/(content-length:) \d+/i, `$1 ${body.length}`));
    socket.write(Buffer.concat([random() < 0.2 ? mutate(told, random) : told, framed]));
    if (random() < 0.3) socket.resetAndDestroy();
    else socket.end();
  };

  it.each(backendTypes.filter((type) => type.kind !== 'mock').map((type) => [type.kind] as const))(
    '%s answers each with a result or a BackendError',
    async (kind) => {
      const problems: string[] = [];
      for (let seed = FIRST_SEED; seed < FIRST_SEED + BACKEND_ROUNDS; seed++) {
        random = seeded(seed * 7919);
        const backend = backendAt(kind, server.url, { ports: FUZZ_PORTS });
        const model = modelOf(backend);
        const signal = AbortSignal.timeout(5000);
        const asked: readonly (readonly [string, () => Promise<unknown>])[] = [
          ['check', () => backend.check(signal)],
          ['models', async () => (await backend.models(signal)).forEach(assertModel)],
          ['chat', async () => void (await ask(backend, { firstByteTimeoutMs: 1000, idleTimeoutMs: 1000 }))],
          ['details', async () => backend.details?.(model, signal)],
          ['activity', async () => backend.activity?.(model, signal)],
          ['countTokens', async () => backend.countTokens?.(model, [], signal)],
          ['load', async () => backend.load?.(model, LOAD, signal)],
          ['delete', async () => backend.delete?.(model, signal)],
          [
            'pull',
            async () => {
              for await (const progress of backend.pull?.('m', signal) ?? [])
                if ((progress.completedBytes ?? 0) < 0) throw new Error('less than nothing');
            },
          ],
        ];
        for (const [name, run] of asked) {
          try {
            await run();
          } catch (error) {
            if (!(error instanceof BackendError)) problems.push(`seed ${seed} ${name}: ${String(error)}`);
            else if (CONTROL.test(wordsOf(error.fault))) problems.push(`seed ${seed} ${name}: raw text`);
          }
        }
        if (signal.aborted) problems.push(`seed ${seed}: it hung`);
        backend.close();
      }
      expect(problems).toEqual([]);
    },
    60_000,
  );
});

const NUMBERS = [
  'sizeBytes',
  'contextMax',
  'contextAllocated',
  'memoryBytes',
  'vramBytes',
  'loadProgress',
] as const;

function assertModel(model: Model): void {
  for (const name of NUMBERS) {
    const value = model[name];
    if (value !== null && !(Number.isFinite(value) && value >= 0)) throw new Error(`${name} is ${value}`);
  }
  if (CONTROL.test(model.label)) throw new Error('control characters in a label');
}

/** Waits of a backend (Retry-After, polls of jobs) pass at once. */
const FUZZ_PORTS = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs: number, run: () => void) => {
    const timer = setTimeout(run, Math.min(delayMs, 5));
    return () => clearTimeout(timer);
  },
};
