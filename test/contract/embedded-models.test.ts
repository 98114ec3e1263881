import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { BackendError, type Backend } from '../../src/backends/backend.js';
import { embedded } from '../../src/backends/embedded.js';
import type { PullProgress } from '../../src/domain/model.js';
import { openLocalSource } from '../../src/engine/open-local.js';
import { systemClock } from '../../src/ports.js';
import { placeFakeEngine } from '../support/fake-engine.js';
import { file, FileServer, json } from '../support/file-server.js';
import { useFolder } from '../support/folder.js';
import { CHAT_MODEL, ggufModel } from '../support/gguf-file.js';

const folder = useFolder();
const NEVER = new AbortController().signal;
const MODEL = ggufModel(CHAT_MODEL, { weights: 50_000 });

let hub: FileServer;
let backend: Backend;

beforeEach(async () => {
  hub = await FileServer.start();
  hub
    .reply(
      '/api/models/org/repo',
      json({ siblings: [{ rfilename: 'smol-Q4_K_M.gguf', size: MODEL.length }] }),
    )
    .reply('/org/repo/resolve/main/smol-Q4_K_M.gguf', file(MODEL));
  placeFakeEngine(folder.path('engine'));
  const source = openLocalSource({
    ports: { clock: systemClock, env: { HOME: folder.path(), HF_ENDPOINT: hub.url }, platform: 'linux' },
    files: {
      engine: folder.path('engine'),
      modelFiles: folder.path('models'),
      modelHeaders: folder.path('headers.json'),
    },
    paths: [folder.path('mine')],
    silenceS: 0,
  });
  backend = embedded.create({ url: '', key: null }, { ...systemClock, embedded: source });
});

afterEach(() => hub.close());

async function pulled(name: string): Promise<readonly PullProgress[]> {
  const reports: PullProgress[] = [];
  for await (const report of backend.pull?.(name, NEVER) ?? []) reports.push(report);
  return reports;
}

async function names(): Promise<readonly string[]> {
  return (await backend.models(NEVER)).map(({ name }) => name);
}

async function deleted(name: string): Promise<void> {
  const model = (await backend.models(NEVER)).find((each) => each.name === name);
  if (model) await backend.delete?.(model, NEVER);
}

describe('a model of this machine', () => {
  it('is pulled, is in the list at once, is deleted, and is gone at once', async () => {
    expect(await names()).toEqual([]);
    expect((await pulled('hf:org/repo')).at(-1)).toMatchObject({ phase: 'done', totalBytes: MODEL.length });
    expect(await names()).toEqual(['smol-Q4_K_M']);
    await deleted('smol-Q4_K_M');
    expect(await names()).toEqual([]);
    expect(fs.readdirSync(folder.path('models'))).toEqual([]);
  });

  it('that is another program’s is not deleted, and whose it is is told', async () => {
    const places = [
      [folder.path('.cache/llama.cpp/theirs.gguf'), 'theirs belongs to llama.cpp.'],
      [folder.path('mine/own.gguf'), 'own belongs to a folder of the setting models.paths.'],
    ] as const;
    for (const [place] of places) {
      fs.mkdirSync(path.dirname(place), { recursive: true });
      fs.writeFileSync(place, MODEL);
    }
    for (const [place, words] of places) {
      await expect(deleted(path.basename(place, '.gguf'))).rejects.toMatchObject({
        fault: { code: 'unsupported', message: words },
      });
      expect(fs.existsSync(place)).toBe(true);
    }
  });

  it('by a name that only a server can know is refused as a fault', async () => {
    const error = await pulled('qwen3:8b').then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(BackendError);
    expect((error as BackendError).fault.hint).toContain('hf:ORG/REPO');
    expect(hub.requests).toEqual([]);
  });
});
