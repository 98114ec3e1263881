import { afterEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { closeDashboards, startDashboard, type TestDashboard } from '../support/dashboard.js';
import { makeHome } from '../support/home.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';
import { denseShow, llama32Show } from '../support/show-answers.js';

const SMALL = {
  ...PLAIN_MODEL,
  name: 'llama3.2:3b',
  digest: '1'.repeat(64),
  sizeBytes: 2_019_393_189,
  show: llama32Show(),
  memoryBytes: 3_100_000_000,
  loaded: null,
};
/** A context of 8,192 tokens takes twice the memory that is free: 100 layers, keys and values of 2 bytes a number. */
const WIDTH = Math.round((2 * os.freemem()) / 8192 / (100 * 2 * 2));
const WIDE = {
  ...SMALL,
  name: 'wide:3b',
  digest: '2'.repeat(64),
  show: denseShow({
    architecture: 'llama',
    layers: 100,
    embedding: 256,
    vocabulary: 1024,
    heads: 4,
    keyWidth: () => WIDTH,
    keys: { context_length: 131072 },
  }),
};
const TO_MODELS = '\t\t';

const servers: ScriptedServer[] = [];
async function open(
  models: readonly (typeof PLAIN_MODEL)[],
  options = {},
): Promise<[TestDashboard, ScriptedServer]> {
  const server = await startScriptedServer({ kind: 'ollama', models });
  servers.push(server);
  const at = await startDashboard({ urls: [server.url], rows: 60, ...options });
  await at.sees('· ollama');
  return [at, server];
}
afterEach(async () => {
  await closeDashboards();
  for (const server of servers.splice(0)) await server.close();
});

describe('whether a model fits', () => {
  it('is told of every model by its tensors, asked for one after the other, once', async () => {
    const [at, server] = await open([SMALL, WIDE]);
    await at.sees(/llama3\.2:3b +2\.0 GB +(fits|tight) /, 8000);
    await at.sees(/wide:3b +2\.0 GB +-\d/, 8000);
    at.type('\x1b[15~');
    await at.sees('asking all servers anew');
    expect(server.requests.filter((request) => request.endsWith('/api/show'))).toHaveLength(2);
  });

  it('stands term by term in the details, with what the last load really took beside it', async () => {
    const home = makeHome();
    const [at] = await open([SMALL], { home });
    await at.sees(/llama3\.2:3b +2\.0 GB +(fits|tight) /, 8000);
    at.type(`${TO_MODELS}Gi`);
    await at.sees(/needs +≈ 3\.\d GB ± 10 %/);
    for (const term of [
      /with a context of +8,192 tokens, of its model file/,
      /weights +≈ 2\.0 GB, tensors/,
      /keys and values +≈ 0\.9 GB, 28 layers/,
      /buffers +≈ 0\.5 GB, 1024 tokens at once/,
      /largest that fits +≈ \d+,\d+ tokens/,
      /last time +—/,
    ])
      expect(at.screen()).toMatch(term);
    at.type('\x1b');
    await at.misses('largest that fits');
    at.type('l');
    await at.sees('● llama3.2:3b', 8000);
    at.type('i');
    await at.sees(/last time +3\.1 GB, estimated 3\.6 GB/, 8000);
    expect(at.screen()).toMatch(/needs +≈ 3\.1 GB ± 10 %/);
    expect(at.screen()).toMatch(/learned +-0\.5 GB/);
    const file = path.join(home.folder, 'state/lmapp/loads.json');
    expect(JSON.parse(fs.readFileSync(file, 'utf8'))).toMatchObject([
      { contextTokens: 8192, realBytes: 3_100_000_000 },
    ]);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    await at.close();
    home.remove();
  });

  it('is asked about before a load whose context is too much, and a smaller one is offered, loaded and kept', async () => {
    const [at, server] = await open([WIDE]);
    await at.sees(/wide:3b +2\.0 GB +-\d/, 8000);
    at.type(`${TO_MODELS}Gl`);
    await at.sees('More than the free memory');
    expect(at.screen()).toMatch(/values [\d.]+ GB, buffers/);
    expect(at.screen()).toMatch(/y +load it all the same/);
    expect(at.screen()).toMatch(/c +load it with a context of \d+k, which fits/);
    at.type('c');
    await at.sees('● wide:3b', 8000);
    const asked = server.bodies.find((body) => /"messages":\[\]/.test(body)) ?? '';
    const tokens = Number(/"num_ctx":(\d+)/.exec(asked)?.[1]);
    expect(tokens).toBeGreaterThanOrEqual(1024);
    expect(tokens).toBeLessThan(8192);
  });
});
