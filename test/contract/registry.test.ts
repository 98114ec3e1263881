import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend, ChatEvent } from '../../src/backends/backend.js';
import { BackendError } from '../../src/backends/backend.js';
import type { BackendFeatures } from '../../src/domain/model.js';
import { backendTypeOf, backendTypes } from '../../src/backends/registry.js';
import { NO_SAMPLING, type Sampling } from '../../src/domain/sampling.js';
import { RawServer, hang, packets, status } from '../support/raw-server.js';
import { ask, backendAt, modelOf } from './answers.js';
import { SteeredClock } from './steered-clock.js';

let server: RawServer;
let backend: Backend;
const signal = new AbortController().signal;

describe.each(backendTypes.map((type) => [type.kind, type] as const))(
  'every backend keeps its contract: %s',
  (kind, type) => {
    beforeEach(async () => {
      server = await RawServer.start();
      backend = backendAt(kind, server.url, { key: 'sk-secret-0123456789' });
    });
    afterEach(async () => {
      backend.close();
      await server.stop();
    });

    it('is found by its kind, and its ports are ports', () => {
      expect(backendTypeOf(kind)).toBe(type);
      for (const port of type.defaultPorts) expect(port > 0 && port < 65536).toBe(true);
    });

    it('has a stable identity without credentials', () => {
      const again = backendAt(kind, server.url);
      expect(backend.info.id).toBe(again.info.id);
      expect(backend.info.kind).toBe(kind);
      if (backend.info.url !== '') expect(backend.info.id).toBe(`${kind}@127.0.0.1:${server.port}`);
      expect(JSON.stringify(backend.info)).not.toContain('secret');
      again.close();
    });

    it('checks without throwing, whatever answers', async () => {
      for (const reply of [
        packets(['garbage\r\n']),
        packets(['HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n']),
        packets([]),
      ]) {
        server
          .reply('/api/version', reply)
          .reply('/v1/models', reply)
          .reply('/props', reply)
          .reply('/health', reply);
        const check = await backend.check(signal);
        expect(Object.keys(check).sort()).toEqual(['processing', 'queued', 'status', 'version']);
        expect(['ready', 'away']).toContain(check.status.state);
      }
    });

    it('lists models or throws a BackendError', async () => {
      const models = await backend.models(signal).catch((error: unknown) => {
        expect(error).toBeInstanceOf(BackendError);
        return [];
      });
      for (const model of models) expect(model.key).toBe(`${backend.info.id}/${model.name}`);
    });

    it('never throws from a chat and ends it once, whatever answers', async () => {
      if (backend.info.url === '') return;
      for (const reply of [
        packets(['garbage\r\n']),
        packets([]),
        packets(['HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n']),
        packets(['HTTP/1.1 200 x\r\n\r\n{"a":1}\n[]']),
      ]) {
        server
          .reply('/api/ps', reply)
          .reply('/api/chat', reply)
          .reply('/v1/chat/completions', reply)
          .reply('/props', reply);
        const seen = await ask(backend);
        expect(seen.outcome).not.toBe('complete');
        expect(JSON.stringify(seen.fault)).not.toContain('secret');
      }
    });

    it('closes its socket at a cancel before the first byte, without waiting for anything', async () => {
      // No time passes: what waited for a timer would wait for ever.
      const still = backendAt(kind, server.url, { ports: new SteeredClock() });
      const stop = new AbortController();
      server.reply('/api/chat', hang).reply('/v1/chat/completions', hang);
      const events: ChatEvent['type'][] = [];
      const seen = await ask(still, {
        signal: stop.signal,
        onEvent: (event) => {
          events.push(event.type);
          if (event.type === 'sent') stop.abort();
        },
      });
      expect(seen.outcome).toBe('cancelled');
      // The server never answers: it sees the end of the socket or this never ends.
      await server.requests.find((request) => request.method === 'POST')?.closed;
      still.close();
    });

    it('is asked with what is set in the words of its dialect, and with nothing of what is not', async () => {
      if (backend.info.url === '') return;
      const no = status(500, 'no');
      server.reply('/api/chat', no).reply('/v1/chat/completions', no);
      const asked = async (sampling?: Sampling): Promise<Record<string, unknown>> => {
        await ask(backend, sampling ? { sampling } : {});
        const request = server.requests.findLast(({ method }) => method === 'POST');
        return samplingIn(request?.target ?? '', request?.body ?? '');
      };
      const plain = await asked();
      // Only a server that would stop after a few words is told a length of our own.
      expect(Object.keys(plain)).toEqual(kind === 'gpt4all' ? ['maxTokens'] : []);
      expect(await asked(NO_SAMPLING)).toEqual(plain);
      expect(await asked({ ...NO_SAMPLING, temperature: 0 })).toEqual({ ...plain, temperature: 0 });
      const { seed, ...others } = { temperature: 1.5, topP: 0.5, seed: 0, maxTokens: 20 };
      expect(await asked({ ...others, seed })).toEqual(kind === 'gpt4all' ? others : { ...others, seed });
    });

    it('ends a chat whose signal has ended before it began', async () => {
      expect((await ask(backend, { signal: AbortSignal.abort(), model: modelOf(backend) })).outcome).toBe(
        'cancelled',
      );
    });

    it('does what it says, and says at most what its kind can do', () => {
      const { features } = backend.info;
      for (const method of ['load', 'unload', 'pull', 'delete'] as const)
        if (features[method]) expect(backend[method]).toBeDefined();
      const more = Object.entries(features).filter(
        ([name, value]) => value && !type.features[name as keyof BackendFeatures],
      );
      expect(more).toEqual([]);
    });

    it('tells where its log is, and how it is started when it is looked for', () => {
      expect(type.logPlace).not.toBe('');
      if (type.defaultPorts.length > 0) expect(type.startCommand).not.toBe('');
    });

    it('tells what it knows or throws a BackendError, whatever answers to its further questions', async () => {
      const model = modelOf(backend);
      const question = { role: 'user' as const, content: 'hi' };
      for (const reply of [
        packets(['garbage\r\n']),
        status(500, 'no'),
        status(200, '[1]'),
        status(404, ''),
      ]) {
        for (const path of [
          '/metrics',
          '/slots',
          '/props',
          '/api/ps',
          '/api/show',
          '/tokenize',
          '/model/info',
        ])
          server.reply(path, reply);
        for (const ask of [
          () => backend.details?.(model, signal),
          () => backend.activity?.(model, signal),
          () => backend.countTokens?.(model, [question], signal),
        ])
          await Promise.resolve(ask()).catch((error: unknown) => expect(error).toBeInstanceOf(BackendError));
      }
    });
  },
);

/** The parameters of a chat request, by our names. */
function samplingIn(target: string, body: string): Record<string, unknown> {
  const ollama = target === '/api/chat';
  const whole = JSON.parse(body) as Record<string, unknown>;
  const told = ollama ? ((whole['options'] ?? {}) as Record<string, unknown>) : whole;
  const names = {
    temperature: 'temperature',
    topP: 'top_p',
    seed: 'seed',
    maxTokens: ollama ? 'num_predict' : 'max_tokens',
  };
  return Object.fromEntries(
    Object.entries(names).flatMap(([ours, theirs]) => (theirs in told ? [[ours, told[theirs]]] : [])),
  );
}

describe('a server that refuses a setting', () => {
  const refusal = status(400, JSON.stringify({ error: { message: 'temperature must be at most 2' } }));

  it('is told with that setting as the next step, and never asked again without it in silence', async () => {
    server = await RawServer.start();
    server.reply('/v1/chat/completions', refusal);
    for (const kind of ['openai', 'llama.cpp', 'gpt4all']) {
      backend = backendAt(kind, server.url);
      const before = server.seen('/v1/chat/completions').length;
      const seen = await ask(backend, { sampling: { ...NO_SAMPLING, temperature: 3 } });
      expect(seen).toMatchObject({
        outcome: 'failed',
        fault: {
          message: 'temperature must be at most 2.',
          hint: expect.stringContaining('lmapp config --unset temperature') as unknown,
        },
      });
      expect(server.seen('/v1/chat/completions')).toHaveLength(before + 1);
      backend.close();
    }
    await server.stop();
  });
});

describe('the mock', () => {
  it('is cut off where it is told, as a server does it', async () => {
    const seen = await ask(backendAt('mock', ''), { sampling: { ...NO_SAMPLING, maxTokens: 9 } });
    expect(seen).toMatchObject({ outcome: 'complete', reason: 'length', usage: { answerTokens: 9 } });
    const { length } = seen.events.filter(({ type }) => type === 'text' || type === 'reasoning');
    expect(length).toBe(9);
  });

  it('streams its text at its speed and says what it is', async () => {
    process.env['LMAPP_MOCK_TEXT'] = 'one two three';
    process.env['LMAPP_MOCK_TOKENS_PER_SECOND'] = '5000';
    const seen = await ask(backendAt('mock', ''));
    delete process.env['LMAPP_MOCK_TEXT'];
    delete process.env['LMAPP_MOCK_TOKENS_PER_SECOND'];
    expect(seen).toMatchObject({
      text: 'one two three',
      outcome: 'complete',
      notes: ['This was the mock, not a model.'],
    });
    expect(seen.usage.answerTokens).toBeGreaterThan(3);
  });
});
