import { describe, expect, it } from '@jest/globals';
import type { LocalModelFile } from '../../../src/domain/model-file.js';
import type { PullProgress } from '../../../src/domain/model.js';
import {
  asOnePull,
  modelMeant,
  recommendedEntry,
  runnableFiles,
  wishWithoutQuestion,
  type EngineProgress,
  type ModelMeant,
} from '../../../src/domain/set-up.js';

const file = (name: string, sizeBytes: number, more: Partial<LocalModelFile> = {}): LocalModelFile => ({
  path: `/m/${name}.gguf`,
  name,
  sizeBytes,
  quantization: null,
  family: null,
  parameters: null,
  contextMax: null,
  digest: name,
  owner: 'ollama',
  kvBytesPerToken: null,
  problem: null,
  chat: true,
  capabilities: null,
  ...more,
});

const engine = (phase: EngineProgress['phase'], packages: number | null = null): EngineProgress => ({
  phase,
  packages,
  packagesTotal: packages === null ? null : 100,
  downloadBytes: 1000,
});
const model = (phase: PullProgress['phase'], completedBytes: number | null): PullProgress => ({
  phase,
  status: 'downloads',
  completedBytes,
  totalBytes: completedBytes === null ? null : 4000,
  layers: [],
});

describe('the recommended model', () => {
  it('is the smallest that is a help where it fits and the hub answers, else one that needs no hub', () => {
    expect(recommendedEntry(8e9, true).name).toBe('qwen3.5-0.8b');
    expect(recommendedEntry(null, true).name).toBe('qwen3.5-0.8b');
    expect(recommendedEntry(0.9e9, true).python).not.toBeNull();
    expect(recommendedEntry(64e9, false).python).not.toBeNull();
  });
});

describe('files that can be run', () => {
  it('are those that chat without a problem: the largest that fits first, what does not fit last', () => {
    const files = [
      file('huge', 90e9),
      file('small', 1e9),
      file('large', 5e9),
      file('embeds', 1e9, { chat: false }),
      file('half', 1e9, { problem: 'a part of it is missing' }),
    ];
    expect(runnableFiles(files, 8e9).map(({ name }) => name)).toEqual(['large', 'small', 'huge']);
  });
});

describe('what is run without a question', () => {
  const files = [file('small.Q4', 1e9), file('large.Q4', 5e9)];
  const never = (): Promise<boolean> => Promise.reject(new Error('the hub was asked'));
  const wish = (named: string, meant: Partial<ModelMeant> = {}, here = files) =>
    wishWithoutQuestion(here, { named, configured: '', remembered: null, ...meant }, 8e9, never);

  it('is the named file, also with its ending and in other letters', async () => {
    expect(await wish('SMALL.q4.gguf')).toEqual({ kind: 'file', name: 'small.Q4' });
  });

  it('is fetched when the name is one that lmapp can fetch, and nothing when it is unknown', async () => {
    expect(await wish('hf:org/repo')).toEqual({ kind: 'pull', name: 'hf:org/repo' });
    expect(await wish('llama3')).toBeNull();
  });

  it('is without a name the file used last; only with none something is fetched', async () => {
    expect(await wish('', { remembered: 'large.Q4' })).toEqual({ kind: 'file', name: 'large.Q4' });
    const none = await wishWithoutQuestion([], modelMeant('', false, null), 8e9, () => Promise.resolve(true));
    expect(none).toEqual({ kind: 'pull', name: 'qwen3.5-0.8b' });
  });

  it('is the model of the configuration where this machine has it, which goes before the one used last', async () => {
    const remembered = 'small.Q4';
    expect(await wish('', { configured: 'large.q4', remembered })).toEqual({
      kind: 'file',
      name: 'large.Q4',
    });
    expect(await wish('', { configured: 'of-a-server', remembered })).toEqual({
      kind: 'file',
      name: remembered,
    });
  });

  it('is else the smallest that is a help and fits, as it would be recommended', async () => {
    expect(await wish('', { remembered: 'gone' })).toEqual({ kind: 'file', name: 'small.Q4' });
    const tiny = [file('toy', 9e7), file('toy-2', 2e8), file('huge', 90e9)];
    expect(await wish('', {}, tiny)).toEqual({ kind: 'file', name: 'toy-2' });
    expect(await wish('', {}, [file('huge', 90e9)])).toEqual({ kind: 'file', name: 'huge' });
  });
});

describe('the model of the settings', () => {
  it('is a must only when it was named on the command line', () => {
    expect(modelMeant('m', true, 'embedded/x')).toEqual({ named: 'm', configured: '', remembered: 'x' });
    expect(modelMeant('m', false, null)).toEqual({ named: '', configured: 'm', remembered: null });
  });
});

describe('engine and model as one download', () => {
  it('counts both, and says that it is reckoned while npm tells only packages', () => {
    const { progress, estimated } = asOnePull({
      engine: engine('downloading', 50),
      model: model('downloading', 1000),
    });
    expect(progress).toMatchObject({ phase: 'downloading', completedBytes: 1500, totalBytes: 5000 });
    expect(estimated).toBe(true);
  });

  it('knows no total before the model tells its own, and has no share of the model before', () => {
    const { progress } = asOnePull({ engine: engine('downloading', 50), model: model('preparing', null) });
    expect(progress).toMatchObject({ completedBytes: null, totalBytes: null });
    expect(progress.layers.map(({ id }) => id)).toEqual(['engine']);
  });

  it('is at its end what was fetched, not the larger file that came out of a package', () => {
    const fetched = (layers: PullProgress['layers']) =>
      asOnePull({ engine: engine('done'), model: { ...model('done', 4000), layers } }).progress;
    const wheel = [{ id: 'a.whl', completedBytes: 3000, totalBytes: 3000 }];
    expect(fetched(wheel)).toMatchObject({ completedBytes: 4000, totalBytes: 4000 });
    expect(fetched([])).toMatchObject({ completedBytes: 1000, totalBytes: 1000 });
  });

  it('is not done before both are', () => {
    const phase = (e: EngineProgress | null, m: PullProgress | null) =>
      asOnePull({ engine: e, model: m }).progress.phase;
    expect(phase(engine('done'), model('downloading', 10))).toBe('downloading');
    expect(phase(engine('checking'), model('done', 4000))).toBe('verifying');
    expect(phase(engine('done'), model('done', 4000))).toBe('done');
    expect(phase(engine('done'), null)).toBe('done');
    expect(phase(null, model('done', 4000))).toBe('done');
  });
});
