import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { LocalModelFile } from '../../../src/domain/model-file.js';
import { createModelFiles, type ModelFiles } from '../../../src/engine/model-files.js';
import { systemClock } from '../../../src/ports.js';
import { CHAT_MODEL, ggufHeader, ggufModel } from '../../support/gguf-file.js';
import { useFolder } from '../../support/folder.js';
import { zipFile } from '../../support/zip-file.js';

const folder = useFolder();
const NEVER = new AbortController().signal;

function put(name: string, bytes: Buffer | string): string {
  const file = folder.path(name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, bytes);
  return file;
}

function search(
  paths: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  clock: Parameters<typeof createModelFiles>[0]['clock'] = systemClock,
): ModelFiles {
  return createModelFiles({
    env,
    platform: 'linux',
    home: folder.path(),
    own: folder.path('.local/share/lmapp/models'),
    paths,
    clock,
    cacheFile: folder.path('cache/model-files.json'),
  });
}

async function found(...how: Parameters<typeof search>): Promise<readonly LocalModelFile[]> {
  return search(...how).find(NEVER);
}

async function names(...how: Parameters<typeof search>): Promise<readonly string[]> {
  return (await found(...how)).map(({ owner, name }) => `${owner}: ${name}`);
}

function ollamaModel(store: string, name: string, bytes: Buffer, digest: string): void {
  put(path.join(store, 'blobs', `sha256-${digest}`), bytes);
  const layers = [
    { mediaType: 'application/vnd.ollama.image.template', digest: `sha256:${'0'.repeat(64)}` },
    { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digest}`, size: bytes.length },
  ];
  put(path.join(store, 'manifests', name), JSON.stringify({ schemaVersion: 2, layers }));
}

describe('model files on this disk', () => {
  it('are found where each program keeps them, with their owner', async () => {
    const model = ggufModel();
    ollamaModel('.ollama/models', 'registry.ollama.ai/library/smol/135m', model, 'a'.repeat(64));
    ollamaModel('.ollama/models', 'hf.co/org/repo/Q4_K_M', model, 'b'.repeat(64));
    put('.local/share/lmapp/models/org/repo/own.Q4_K_M.gguf', model);
    put('.cache/llama.cpp/org_cpp.gguf', model);
    put('.lmstudio/models/publisher/repo/studio.gguf', model);
    put('.cache/lm-studio/models/publisher/repo/older-studio.gguf', model);
    put('.local/share/nomic.ai/GPT4All/four.gguf', model);
    put('.local/share/Jan/data/llamacpp/models/jan-nano/model.gguf', model);
    put('.node-llama-cpp/models/node.gguf', model);
    const blob = put('.cache/huggingface/hub/models--o--n/blobs/1234', model);
    fs.mkdirSync(folder.path('.cache/huggingface/hub/models--o--n/snapshots/rev'), { recursive: true });
    fs.symlinkSync(blob, folder.path('.cache/huggingface/hub/models--o--n/snapshots/rev/hub.gguf'));
    put('mine/deep/er/configured.gguf', model);
    put('bin/packed.llamafile', zipFile([{ name: 'weights.gguf', bytes: model }], Buffer.alloc(999, 1)));
    expect(await names([folder.path('mine')])).toEqual([
      'lmapp: own.Q4_K_M',
      'ollama: hf.co/org/repo:Q4_K_M',
      'ollama: smol:135m',
      'llama.cpp: org_cpp',
      'lmstudio: studio',
      'lmstudio: older-studio',
      'gpt4all: four',
      'jan: jan-nano',
      'node-llama-cpp: node',
      'huggingface: hub',
      'configured: configured',
      'llamafile: packed',
    ]);
  });

  it('are found where the variables of their programs say', async () => {
    ollamaModel('ollama-elsewhere', 'registry.ollama.ai/me/smol/latest', ggufModel(), 'c'.repeat(64));
    put('cpp-elsewhere/cpp.gguf', ggufModel());
    put('hf-home/hub/models--o--n/snapshots/rev/hub.gguf', ggufModel());
    const env = {
      OLLAMA_MODELS: folder.path('ollama-elsewhere'),
      LLAMA_CACHE: folder.path('cpp-elsewhere'),
      HF_HOME: folder.path('hf-home'),
    };
    expect(await names([], env)).toEqual(['ollama: me/smol:latest', 'llama.cpp: cpp', 'huggingface: hub']);
  });

  it('tell what their header tells', async () => {
    const bytes = ggufModel();
    const file = put('m/smol.gguf', bytes);
    expect(await found([folder.path('m')])).toEqual([
      {
        path: file,
        name: 'smol',
        sizeBytes: bytes.length,
        quantization: 'Q4_K_M',
        family: 'llama',
        parameters: '135M',
        contextMax: 2048,
        digest: expect.stringMatching(/^\d+-\d+$/),
        owner: 'configured',
        kvBytesPerToken: 30 * 3 * 128 * 2,
        shape: expect.objectContaining({ contextMax: 2048 }),
        problem: null,
        chat: true,
        capabilities: ['completion'],
      },
    ]);
  });

  it('that are reached in two ways are one, and twins of a name are told apart', async () => {
    const file = put('m/a/smol.gguf', ggufModel());
    fs.symlinkSync(file, folder.path('m/link.gguf'));
    fs.linkSync(file, folder.path('m/hard.gguf'));
    put('.cache/llama.cpp/smol.gguf', ggufModel());
    put('m/b/smol.gguf', ggufModel());
    expect(await names(['~/m', folder.path('m')])).toEqual([
      'llama.cpp: smol',
      'configured: hard',
      'configured: smol@configured',
    ]);
  });

  it('that are split are one model, and a missing part is told', async () => {
    const first = ggufModel({ ...CHAT_MODEL, 'split.count': { uint32: 2 } });
    const second = ggufModel({ 'split.count': { uint32: 2 } });
    put('m/whole-00001-of-00002.gguf', first);
    put('m/whole-00002-of-00002.gguf', second);
    put('m/half-00001-of-00002.gguf', first);
    put('m/cut-00001-of-00002.gguf', first);
    put('m/cut-00002-of-00002.gguf', second.subarray(0, -1));
    const files = await found([folder.path('m')]);
    expect(files.map(({ name, problem, sizeBytes }) => [name, problem, sizeBytes])).toEqual([
      [
        'cut',
        expect.stringMatching(/^part 2 of 2 is damaged: only 99 % of it is there$/),
        expect.any(Number),
      ],
      ['half', 'part 2 of 2 is missing', first.length],
      ['whole', null, first.length + second.length],
    ]);
    expect(files[2]?.path).toBe(folder.path('m/whole-00001-of-00002.gguf'));
  });

  it('that are not complete say so; a download beside its finished file is not listed', async () => {
    const model = ggufModel(CHAT_MODEL, { weights: 1000 });
    put('m/begun.gguf.part', model.subarray(0, 500));
    put('m/done.gguf', model);
    put('m/done.gguf.part', model.subarray(0, 500));
    put('m/short.gguf', model.subarray(0, 2000));
    put('m/empty.gguf', '');
    const files = await found([folder.path('m')]);
    expect(files.map(({ name, problem }) => [name, problem])).toEqual([
      ['begun', 'its download is not complete'],
      ['done', null],
      ['empty', 'it ends within its header'],
      ['short', expect.stringMatching(/^only \d\d % of it is there$/)],
    ]);
  });

  it('that are no chat models say so, and parts of others are not listed', async () => {
    put('m/mmproj-model-f16.gguf', ggufModel());
    put('m/eyes.gguf', ggufModel({ 'general.architecture': { text: 'clip' } }));
    put('m/vocab.gguf', ggufHeader({ entries: CHAT_MODEL }));
    put('m/page.gguf', '<!doctype html>');
    put(
      'm/embed.gguf',
      ggufModel({ 'general.architecture': { text: 'bert' }, 'bert.block_count': { uint32: 6 } }),
    );
    put('m/picture.gguf', ggufModel({ 'general.architecture': { text: 'flux' } }));
    const files = await found([folder.path('m')]);
    expect(files.map(({ name, chat, problem }) => [name, chat, problem])).toEqual([
      ['embed', false, 'it is an embedding model'],
      ['page', true, 'it is no GGUF file'],
      ['picture', false, 'it is no language model'],
    ]);
  });

  it('in circles of links, pipes, unreadable and strange stores hold nobody up', async () => {
    put('m/a/good.gguf', ggufModel());
    fs.symlinkSync(folder.path('m'), folder.path('m/a/round'));
    fs.symlinkSync('self.gguf', folder.path('m/self.gguf'));
    fs.symlinkSync('/nowhere.gguf', folder.path('m/gone.gguf'));
    fs.mkdirSync(folder.path('m/folder.gguf'));
    execFileSync('mkfifo', [folder.path('m/pipe.gguf')]);
    put('.ollama/models/manifests/registry.ollama.ai/library/bad/json', '{');
    put('.ollama/models/manifests/registry.ollama.ai/library/bad/list', '{"layers":[7,{"mediaType":1}]}');
    const escape = {
      mediaType: 'application/vnd.ollama.image.model',
      digest: 'sha256:../../../m/a/good.gguf',
    };
    put('.ollama/models/manifests/registry.ollama.ai/library/bad/path', JSON.stringify({ layers: [escape] }));
    ollamaModel('.ollama/models', 'registry.ollama.ai/library/bad/gone', ggufModel(), 'd'.repeat(64));
    fs.rmSync(folder.path(`.ollama/models/blobs/sha256-${'d'.repeat(64)}`));
    put('bin/none.llamafile', 'not an archive');
    expect(await names([folder.path('m'), folder.path('nowhere')])).toEqual([
      'configured: good',
      'llamafile: none',
    ]);
  });

  it('have names without escape bytes', async () => {
    put(
      'm/\u001b[31mred\u001b]0;title\u0007.gguf',
      ggufModel({ ...CHAT_MODEL, 'general.size_label': { text: '\u001b[2J1B' } }),
    );
    const [file] = await found([folder.path('m')]);
    expect(JSON.stringify([file?.name, file?.parameters])).not.toMatch(/\\u001b|\\u0007/);
  });

  it('are read once: what is known by size and time is not opened again', async () => {
    const file = put('m/smol.gguf', ggufModel());
    const { mtimeMs } = fs.statSync(file);
    expect((await found([folder.path('m')]))[0]?.problem).toBeNull();
    // Other bytes of the same length and time: only who opens it sees them.
    fs.writeFileSync(file, Buffer.alloc(ggufModel().length));
    fs.utimesSync(file, mtimeMs / 1000, mtimeMs / 1000);
    expect((await found([folder.path('m')]))[0]?.problem).toBeNull();
    fs.utimesSync(file, 1, 1);
    expect((await found([folder.path('m')]))[0]?.problem).toBe('it is no GGUF file');
  });

  it('are looked for again when one has come, and a damaged cache does no harm', async () => {
    put('cache/model-files.json', '{"version":1,"files":{"x":{"sizeBytes":"a"}}}');
    put('m/one.gguf', ggufModel());
    const files = search([folder.path('m')]);
    expect(await files.find(NEVER)).toHaveLength(1);
    put('m/two.gguf', ggufModel());
    expect(await files.find(NEVER)).toHaveLength(1);
    files.changed();
    expect(await files.find(NEVER)).toHaveLength(2);
  });

  it('are not waited for after an abort', async () => {
    await expect(search().find(AbortSignal.abort())).rejects.toThrow();
  });
});
