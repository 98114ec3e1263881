import { describe, expect, it } from '@jest/globals';
import { isFinal, type EngineCommand, type EngineReport } from '../../../src/engine/protocol.js';
import { checkedCommand, checkedReport } from '../../../src/engine/protocol-check.js';

const COMMANDS: readonly EngineCommand[] = [
  { type: 'start', id: 1, module: '/m/index.js', templates: null, threads: null, gpu: false },
  { type: 'start', id: 1, module: '/m/index.js', templates: '/m/t.json', threads: 4, gpu: true },
  { type: 'load', id: 2, model: 'm', path: '/m.gguf', contextTokens: 4096 },
  { type: 'unload', id: 3, model: 'm' },
  {
    type: 'chat',
    id: 4,
    model: 'm',
    messages: [{ role: 'user', content: '' }],
    continues: true,
    keepsRoom: true,
    sampling: { temperature: 0, topP: 1, seed: 0, maxTokens: 1 },
  },
  { type: 'status', id: 6 },
  { type: 'cancel', id: 7 },
];

const REPORTS: readonly EngineReport[] = [
  { type: 'started', id: 1, gpu: null, threads: 2 },
  { type: 'queued', id: 2, position: 1 },
  { type: 'loading', id: 2, progress: 0.5 },
  { type: 'loaded', id: 2, contextTokens: 4096, contextMax: 8192, memoryBytes: 9, vramBytes: 0, ms: 1.5 },
  { type: 'unloaded', id: 3 },
  { type: 'prefill', id: 4, processed: 64, total: 100, cached: 0 },
  { type: 'piece', id: 4, thinking: false, text: 'a', tokens: 1 },
  {
    type: 'answered',
    id: 4,
    reason: 'length',
    promptTokens: 100,
    cachedTokens: 0,
    answerTokens: 3,
    promptMs: 10.5,
    answerMs: 0,
    memoryBytes: 9,
  },
  { type: 'status', id: 6, memoryBytes: 9 },
  { type: 'cancelled', id: 4 },
  { type: 'failed', id: 4, failure: 'context-full', words: '', promptTokens: 9, contextTokens: 8 },
  { type: 'failed', id: 2, failure: 'model', words: 'no', promptTokens: null, contextTokens: null },
  { type: 'log', id: 0, level: 'warn', text: 'a' },
];

describe('a command to the child', () => {
  it.each(COMMANDS.map((each) => [each.type, each] as const))('%s is taken as it is', (_type, command) => {
    expect(checkedCommand(structuredClone(command))).toEqual(command);
  });

  it.each([
    ['nothing', null],
    ['a text', 'status'],
    ['without an id', { type: 'status' }],
    ['with the id of the log', { type: 'status', id: 0 }],
    ['with half an id', { type: 'status', id: 1.5 }],
    ['of an unknown type', { type: 'exec', id: 1 }],
    ['to start nothing', { type: 'start', id: 1, module: '', threads: null, gpu: false }],
    [
      'to load a path that is too long',
      { type: 'load', id: 1, model: 'm', path: 'x'.repeat(5000), contextTokens: 1 },
    ],
    ['to load without a context', { type: 'load', id: 1, model: 'm', path: '/m', contextTokens: 0 }],
    [
      'with a role that nobody has',
      { type: 'chat', id: 1, model: 'm', messages: [{ role: 'root', content: '' }] },
    ],
    [
      'with a message that is no text',
      { type: 'chat', id: 1, model: 'm', messages: [{ role: 'user', content: 1 }] },
    ],
    ['with messages that are no list', { type: 'chat', id: 1, model: 'm', messages: { length: 1 } }],
  ])('%s is none', (_what, told) => {
    expect(checkedCommand(told)).toBeNull();
  });
});

describe('a report of the child', () => {
  it.each(REPORTS.map((each) => [each.type, each] as const))('%s is taken as it is', (_type, report) => {
    expect(checkedReport(structuredClone(report))).toEqual(report);
  });

  it.each(
    REPORTS.filter(({ type }) => !['unloaded', 'cancelled', 'failed', 'started'].includes(type)).map(
      (each) => [each.type, each] as const,
    ),
  )('%s without one of its figures, or with one that is none, is dropped', (_type, report) => {
    const figures = Object.entries(report).filter(([, value]) => typeof value === 'number' && value !== 0);
    for (const [name] of figures)
      for (const wrong of [undefined, null, -1, NaN, Infinity, '1'])
        expect([name, wrong, checkedReport({ ...report, [name]: wrong })]).toEqual([name, wrong, null]);
  });

  it('is no further along than its end', () => {
    expect(checkedReport({ type: 'loading', id: 1, progress: 7 })).toMatchObject({ progress: 1 });
  });

  it('with words without end is cut', () => {
    const failed = { ...REPORTS[11], words: 'x'.repeat(100_000) };
    const report = checkedReport(failed);
    expect(report?.type === 'failed' && report.words.length).toBe(2000);
  });

  it('of a failure that nobody knows is one all the same', () => {
    expect(checkedReport({ type: 'failed', id: 1, failure: 'else' })).toEqual({
      type: 'failed',
      id: 1,
      failure: 'failed',
      words: '',
      promptTokens: null,
      contextTokens: null,
    });
  });

  it('brings nothing along that is not of its type', () => {
    expect(checkedReport({ type: 'unloaded', id: 1, text: '\u001b[2J' })).toEqual({
      type: 'unloaded',
      id: 1,
    });
  });

  it('is the last one of its command, or it is not', () => {
    expect(REPORTS.filter((each) => !isFinal(each)).map(({ type }) => type)).toEqual([
      'queued',
      'loading',
      'prefill',
      'piece',
      'log',
    ]);
  });
});
