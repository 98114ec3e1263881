import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { defaultLimits } from '../../src/domain/limits.js';
import { backendTypeOf } from '../../src/backends/registry.js';
import { type Backends, createBackends } from '../../src/effects/backends.js';
import type { KnownServer } from '../../src/effects/backends-options.js';
import type { AppEvent } from '../../src/events/catalogue.js';
import { hang, RawServer, json, status } from '../support/raw-server.js';
import { modelOf } from '../support/machine.js';
import { SteeredClock, settle } from './steered-clock.js';

/** What one kind of server answers to the questions that tell it; nothing else is answered. */
const KINDS = {
  ollama: {
    '/api/version': json({ version: '0.13.0' }),
    '/v1/models': json({ data: [{ id: 'o', owned_by: 'library' }] }),
    '/api/tags': json({
      models: [{ name: 'o', capabilities: ['completion'], details: { context_length: 1 } }],
    }),
    '/api/ps': json({ models: [] }),
  },
  'llama.cpp': {
    '/props': json({ build_info: 'b9000' }, 200, { Server: 'llama.cpp' }),
    '/health': json({ status: 'ok' }, 200, { Server: 'llama.cpp' }),
    '/v1/models': json({ data: [{ id: 'l', owned_by: 'llamacpp' }] }, 200, { Server: 'llama.cpp' }),
  },
  vllm: {
    '/health': status(200, ''),
    '/version': json({ version: '0.11.2' }),
    '/v1/models': json({ data: [{ id: 'v', owned_by: 'vllm', max_model_len: 10 }] }),
  },
  localai: {
    '/api/version': json({ version: '0.9.0' }),
    '/.well-known/localai.json': json({ version: 'v3', endpoints: {} }),
    '/v1/models': json({ data: [{ id: 'x', object: 'model' }] }),
  },
} as const;
type Kind = keyof typeof KINDS;

let server: RawServer;
let backends: Backends | null = null;
let clock: SteeredClock;
let events: AppEvent[];
beforeEach(async () => {
  server = await RawServer.start();
  clock = new SteeredClock();
  events = [];
});
afterEach(async () => {
  backends?.stop();
  backends = null;
  await server.stop();
});

function become(kind: Kind): void {
  for (const known of Object.values(KINDS))
    for (const path of Object.keys(known)) server.reply(path, json({ error: 'nothing here' }, 404));
  for (const [path, reply] of Object.entries(KINDS[kind])) server.reply(path, reply);
}

function watch(known: readonly KnownServer[] = []): void {
  backends = createBackends({
    ports: { clock, env: {}, platform: 'linux' },
    publish: (event) => events.push(event),
    urls: [server.url],
    configured: [],
    keyOf: () => null,
    limitsFor: defaultLimits,
    discovery: false,
    mock: false,
    focused: () => true,
    known,
  });
  void backends.start();
}

/** As the disk remembers a server of this kind at this address. */
function known(kind: Kind | 'openai'): readonly KnownServer[] {
  const backend = backendTypeOf(kind)?.create(
    { url: server.url, key: null },
    { ...clock, limits: defaultLimits(server.url) },
  );
  if (!backend) throw new Error(kind);
  backend.close();
  const { info } = backend;
  return [{ info, models: [modelOf(info.id, 'of-the-last-run')] }];
}

/** Time passes, half a minute at most, until this has happened. */
async function until(happened: () => boolean): Promise<void> {
  for (let step = 0; step < 60 && !happened(); step += 1) {
    await settle();
    if (!happened()) clock.advance(500);
  }
  expect(happened()).toBe(true);
}

/** The kinds that were found and removed, in their order. */
function story(): readonly string[] {
  return events.flatMap((event) => {
    if (event.type === 'backend.found') return [`+${event.backend.kind}`];
    return event.type === 'backend.removed' ? [`-${event.backendId.split('@')[0] ?? ''}`] : [];
  });
}

function names(): string {
  const listed = events.findLast((event) => event.type === 'models.listed');
  return listed?.type === 'models.listed' ? listed.models.map(({ name }) => name).join() : '';
}

describe('a server behind an address', () => {
  it.each([
    ['ollama', 'llama.cpp'],
    ['ollama', 'localai'],
    ['llama.cpp', 'vllm'],
    ['vllm', 'llama.cpp'],
    ['vllm', 'ollama'],
  ] as const)(
    'case 43: %s that has become %s between two polls is noticed, with its own list',
    async (before, after) => {
      become(before);
      watch();
      await until(() => names() !== '' && story().includes(`+${before}`));
      const first = names();
      become(after);
      await until(() => story().includes(`-${before}`) && names() !== first);
      // What it can do is told again when it is known better.
      expect([...new Set(story())]).toEqual([`+${before}`, `-${before}`, `+${after}`]);
    },
  );

  it('case 43: one that only fails, or refuses its key, stays what it is and is looked into once', async () => {
    become('vllm');
    watch();
    await until(() => names() !== '');
    server.reply('/health', status(500, '')).reply('/v1/models', json({ error: 'Unauthorized' }, 401));
    const before = server.seen('/v1/models').length;
    const checks = server.seen('/health').length;
    await until(() => server.seen('/health').length > checks + 2);
    expect(new Set(story())).toEqual(new Set(['+vllm']));
    // A dead engine is told before the key is asked for: all that was asked of the list is who this is, once.
    expect(server.seen('/v1/models').length - before).toBe(1);
  });

  it('that an earlier run knew is listed with its models before it has answered', async () => {
    server.reply('/v1/models', hang).reply('/api/version', hang);
    watch(known('ollama'));
    expect(story()).toEqual(['+ollama']);
    expect(names()).toBe('of-the-last-run');
    become('ollama');
    await until(() => names() === 'o');
    expect(new Set(story())).toEqual(new Set(['+ollama']));
  });

  it('that an earlier run knew stays in the list with its models while it is away', async () => {
    const remembered = known('ollama');
    await server.stop();
    watch(remembered);
    await until(() => events.some(({ type }) => type === 'backend.checked' || type === 'backend.lost'));
    expect(story()).toEqual(['+ollama']);
    expect(names()).toBe('of-the-last-run');
  });

  it.each([
    ['ollama', 'llama.cpp'],
    ['vllm', 'ollama'],
    ['openai', 'ollama'],
    ['openai', 'llama.cpp'],
  ] as const)('case 43: %s of an earlier run that is %s now is noticed at once', async (before, after) => {
    become(after);
    watch(known(before));
    await until(() => story().includes(`-${before}`) && names() !== 'of-the-last-run');
    expect([...new Set(story())]).toEqual([`+${before}`, `-${before}`, `+${after}`]);
  });

  it('that is taken out while it is asked who it is does not come back', async () => {
    become('llama.cpp');
    watch(known('ollama'));
    backends?.remove(server.url);
    await until(() => server.seen('/v1/models').length > 0);
    await settle();
    expect(story()).toEqual(['+ollama', '-ollama']);
  });
});
