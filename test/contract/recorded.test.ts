import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identify } from '../../src/backends/identify.js';
import { RawServer, json, status } from '../support/raw-server.js';
import { recorded } from '../support/recorded.js';
import { LOAD, REAL_PORTS, type Seen, ask, backendAt, modelOf } from './answers.js';

let server: RawServer;
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(() => server.stop());

const signal = new AbortController().signal;

async function ollama(name: string): Promise<Seen> {
  server.reply('/api/ps', recorded('ollama/ps')).reply('/api/chat', recorded(`ollama/${name}`));
  return ask(backendAt('ollama', server.url), { model: { name: 'smollm2:latest' } });
}

async function llamaCpp(name: string): Promise<Seen> {
  server.reply('/v1/chat/completions', recorded(`llama.cpp/${name}`));
  return ask(backendAt('llama.cpp', server.url));
}

describe('answers recorded from real servers: Ollama', () => {
  it('streams', async () => {
    const seen = await ollama('chat-stream');
    expect(seen).toMatchObject({ outcome: 'complete', reason: 'stop', fault: null });
    expect(seen.text).toMatch(/^The three colours are:\n/);
    expect(seen.usage).toMatchObject({ promptTokens: 13, answerTokens: 26 });
    expect(seen.usage.answerPerSecond).toBeCloseTo(85.2, 1);
    expect(seen.events.map((event) => event.type)).not.toContain('loading');
  });

  it('tells errors', async () => {
    expect((await ollama('chat-runner-killed')).fault?.message).toMatch(/unexpected EOF/);
    expect((await ollama('chat-overlong-truncate-false')).fault).toMatchObject({
      code: 'context-full',
      promptTokens: 5010,
      contextTokens: 2048,
    });
    expect((await ollama('chat-unknown-model')).fault).toMatchObject({
      code: 'unknown-model',
      hint: 'Pull it with: ollama pull smollm2:latest',
    });
    expect((await ollama('chat-think-unsupported')).fault?.code).toBe('unsupported');
    expect((await ollama('chat-bad-json')).fault).toMatchObject({ code: 'server-error', status: 400 });
  });

  it('says that the context ended the answer', async () => {
    expect(await ollama('chat-limit-shift-false')).toMatchObject({ outcome: 'complete', reason: 'length' });
  });

  it('lists models, two names of one digest both loaded', async () => {
    server.reply('/api/tags', recorded('ollama/tags')).reply('/api/ps', recorded('ollama/ps'));
    const backend = backendAt('ollama', server.url);
    const models = await backend.models(signal);
    expect(models).toMatchObject([
      {
        name: 'smollm2:latest',
        label: 'smollm2',
        loadState: 'loaded',
        contextMax: 8192,
        contextAllocated: 2048,
        vramBytes: 0,
        parameters: '134.52M',
      },
      { name: 'smollm2-b:latest', loadState: 'loaded', memoryBytes: 161407302 },
    ]);
    expect(server.seen('/api/show')).toHaveLength(0);
    backend.close();
  });

  it('is identified, checked, loaded and unloaded', async () => {
    server
      .reply('/v1/models', recorded('ollama/v1-models'))
      .reply('/api/version', recorded('ollama/version'));
    expect(await identify({ url: server.url, key: null }, signal, REAL_PORTS)).toBe('ollama');
    const backend = backendAt('ollama', server.url);
    expect(await backend.check(signal)).toMatchObject({ status: { state: 'ready' }, version: '0.0.0' });
    server
      .reply('/api/chat', recorded('ollama/load'), recorded('ollama/unload'))
      .reply('/api/ps', json({ models: [] }));
    await backend.load?.(modelOf(backend), { ...LOAD, keepAlive: '5m' }, signal);
    await backend.unload?.(modelOf(backend), signal);
    backend.close();
  });
});

describe('answers recorded from real servers: llama.cpp', () => {
  it('streams, with and without progress', async () => {
    const plain = await llamaCpp('chat-stream-plain');
    expect(plain.outcome).toBe('complete');
    expect(plain.text).toMatch(/^Hello/);
    const progress = await llamaCpp('chat-stream-progress');
    expect(progress.outcome).toBe('complete');
    expect(progress.events.filter((event) => event.type === 'prefill').length).toBeGreaterThan(1);
    expect(progress.usage.answerPerSecond).toBeGreaterThan(0);
    expect(progress.events.findIndex((event) => event.type === 'text')).toBeGreaterThan(
      progress.events.findLastIndex((event) => event.type === 'prefill'),
    );
  });

  it('tells errors', async () => {
    expect((await llamaCpp('chat-overflow')).fault).toMatchObject({
      code: 'context-full',
      promptTokens: 3031,
      contextTokens: 512,
      status: 400,
    });
    expect((await llamaCpp('unauthorized')).fault?.code).toBe('unauthorized');
    expect((await llamaCpp('chat-limit')).outcome).toBe('complete');
  });

  it('lists its one model with the context of a slot', async () => {
    server.reply('/v1/models', recorded('llama.cpp/models')).reply('/props', recorded('llama.cpp/props'));
    expect(await identify({ url: server.url, key: null }, signal, REAL_PORTS)).toBe('llama.cpp');
    const backend = backendAt('llama.cpp', server.url);
    expect(await backend.models(signal)).toMatchObject([
      {
        label: 'smollm2-135m-instruct-q4_1',
        contextAllocated: 512,
        contextMax: 8192,
        quantization: 'Q4_1',
        loadState: 'loaded',
        capabilities: ['completion'],
      },
    ]);
    backend.close();
  });

  it('tells work and queue, and that it is loading', async () => {
    server
      .reply('/props', recorded('llama.cpp/props'))
      .reply('/slots', recorded('llama.cpp/slots-busy'))
      .reply('/metrics', recorded('llama.cpp/metrics-busy'));
    const backend = backendAt('llama.cpp', server.url);
    expect(await backend.check(signal)).toMatchObject({ processing: 2, queued: 1 });
    server.reply('/metrics', recorded('llama.cpp/metrics'));
    expect(await backend.check(signal)).toMatchObject({ processing: 0, queued: 0 });
    server.reply('/props', recorded('llama.cpp/health-loading'));
    expect((await backend.check(signal)).status.state).toBe('loading');
    backend.close();
  });

  it('is a router when its list has states', async () => {
    server.reply(
      '/v1/models',
      recorded('llama.cpp/router-models'),
      recorded('llama.cpp/router-models-loaded'),
      recorded('llama.cpp/router-models'),
    );
    server
      .reply('/props', recorded('llama.cpp/router-props'))
      .reply('/models/load', recorded('llama.cpp/router-load'));
    server
      .reply('/models/unload', recorded('llama.cpp/router-unload'))
      .reply('/slots', status(500, 'must not be asked'));
    const backend = backendAt('llama.cpp', server.url);
    const model = (await backend.models(signal))[0];
    expect(model).toMatchObject({ loadState: 'unloaded', label: 'smollm2-135m-instruct-q4_1' });
    if (model === undefined) return;
    await backend.load?.(model, LOAD, signal);
    await backend.unload?.(model, signal);
    expect(await backend.check(signal)).toMatchObject({ status: { state: 'ready' }, processing: null });
    backend.close();
  });
});
