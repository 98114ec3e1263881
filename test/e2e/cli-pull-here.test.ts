import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { file, FileServer, json, type FileReply } from '../support/file-server.js';
import { CHAT_MODEL, ggufModel } from '../support/gguf-file.js';
import { makeHome, type Home } from '../support/home.js';
import { openPty, type PtySession } from '../support/pty.js';
import { LMAPP, runLmapp } from '../support/run-lmapp.js';

const MODEL = ggufModel(CHAT_MODEL, { weights: 500_000 });
const FILE = '/org/repo/resolve/main/smol-Q4_K_M.gguf';

let home: Home;
let hub: FileServer;
const ptys: PtySession[] = [];

beforeEach(async () => {
  home = makeHome();
  hub = await FileServer.start();
  const sha256 = createHash('sha256').update(MODEL).digest('hex');
  const siblings = [
    { rfilename: 'smol-Q4_K_M.gguf', size: MODEL.length, lfs: { sha256, size: MODEL.length } },
  ];
  hub.reply('/api/models/org/repo', json({ siblings })).reply(FILE, file(MODEL));
});

afterEach(async () => {
  for (const pty of ptys.splice(0)) pty.close();
  await hub.close();
  home.remove();
});

const env = (): Readonly<Record<string, string>> => ({ ...home.env, HF_ENDPOINT: hub.url });
const folder = (): string => path.join(home.folder, 'data', 'lmapp', 'models', 'org', 'repo');

/** Half of the file, and then nothing until the end of the test. */
const half: FileReply = (_request, response) => {
  response.writeHead(200, { etag: '"v1"', 'content-length': String(MODEL.length) });
  response.write(MODEL.subarray(0, MODEL.length / 2));
};

describe('lmapp models pull of a model for this machine', () => {
  it('needs no server, and prints where there is no terminal only the result', async () => {
    const result = await runLmapp(['models', 'pull', 'hf:org/repo:Q4_K_M'], { env: env() });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toMatch(/^hf:org\/repo:Q4_K_M is on this machine: 2 MB in /);
    expect(fs.readFileSync(path.join(folder(), 'smol-Q4_K_M.gguf')).equals(MODEL)).toBe(true);
  });

  it('tells every step as JSON', async () => {
    const result = await runLmapp(['models', 'pull', 'hf:org/repo', '--json'], { env: env() });
    const events = result.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ phase }) => phase)).toEqual(expect.arrayContaining(['downloading', 'done']));
    expect(events.at(-1)).toMatchObject({ type: 'ended', outcome: 'complete', totalBytes: MODEL.length });
  });

  it('is stopped by Ctrl+C with code 130, keeps what came, and goes on from there', async () => {
    hub.reply(FILE, half);
    const part = path.join(folder(), 'smol-Q4_K_M.gguf.part');
    const stopped = await runLmapp(['models', 'pull', 'hf:org/repo'], {
      env: env(),
      onStart: (child) => {
        const look = setInterval(() => {
          if (!fs.existsSync(part) || fs.statSync(part).size === 0) return;
          clearInterval(look);
          child.kill('SIGINT');
        }, 10);
      },
    });
    expect(stopped).toMatchObject({ code: 130, stdout: '' });
    expect(stopped.stderr).toContain('pulled again it goes on from there');
    hub.reply(FILE, file(MODEL));
    expect((await runLmapp(['models', 'pull', 'hf:org/repo'], { env: env() })).code).toBe(0);
    expect(hub.requests.at(-1)?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(fs.readdirSync(folder())).toEqual(['smol-Q4_K_M.gguf']);
  });

  it('shows per cent and bytes on a terminal', async () => {
    hub.reply(FILE, half);
    const pty = openPty(process.execPath, [LMAPP, 'models', 'pull', 'hf:org/repo'], { env: env() });
    ptys.push(pty);
    await pty.waitFor(/ 50 % \[#{10} {10}\] 1\.0 \/ 2\.0 MB/);
  });

  it('says for a fault what happened and what to do', async () => {
    const result = await runLmapp(['models', 'pull', 'hf:org/none'], { env: env() });
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/There is no org\/none on http.*\n.*hf:ORG\/REPO/s);
  });
});

describe('lmapp models catalogue', () => {
  it('lists what can be fetched, with size, license and what it is good for, for people and for programs', async () => {
    const table = await runLmapp(['models', 'catalogue'], { env: env() });
    expect(table).toMatchObject({ code: 0, stderr: '' });
    expect(table.stdout).toMatch(
      /^smollm2-135m +98 MB +Q4_1 +8192 ctx +Apache-2\.0 +(fits|tight|too large|—) +it talks, no more/m,
    );
    const listed = JSON.parse(
      (await runLmapp(['models', 'catalogue', '--json'], { env: env() })).stdout,
    ) as object[];
    expect(listed).toHaveLength(6);
    expect(listed[0]).toMatchObject({ license: 'Apache-2.0', verdict: expect.any(String) as unknown });
  });
});
