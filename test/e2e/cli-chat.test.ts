import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { json, RawServer } from '../support/raw-server.js';
import { LMAPP, runLmapp, type RunResult } from '../support/run-lmapp.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

let home: Home;
let server: ScriptedServer;

beforeAll(async () => {
  server = await startScriptedServer({ kind: 'ollama' });
});
afterAll(() => server.close());
beforeEach(() => {
  home = makeHome();
  server.play({ answer: ['Blue ', 'is ', 'short.'], tokensPerSecond: 0, endMark: '' });
});
afterEach(() => home.remove());

function chat(
  args: readonly string[],
  options: Partial<Parameters<typeof runLmapp>[1]> = {},
): Promise<RunResult> {
  return runLmapp(['chat', '--no-discovery', '--url', server.url, ...args], { env: home.env, ...options });
}

describe('lmapp chat', () => {
  it('prints the answer and nothing else', async () => {
    expect(await chat(['Why', 'blue?'])).toMatchObject({ code: 0, stdout: 'Blue is short.\n', stderr: '' });
  });

  it('says on standard error who answered when it was not the asked one, what was not read, and that nothing came', async () => {
    const raw = await RawServer.start();
    try {
      const models = [{ id: 'Llama 3', object: 'model', owned_by: 'humanity' }];
      const answer = (content: string) =>
        json({ model: 'Phi 3', choices: [{ message: { content }, finish_reason: 'stop' }] });
      raw.reply('/v1/models', json({ object: 'list', data: models }));
      raw.reply('/v1/chat/completions', answer('Red.\n'), answer(''));
      const ask = (...more: string[]) =>
        runLmapp(['chat', 'Why?', '--no-discovery', '--url', raw.url, ...more], { env: home.env });
      const first = await ask();
      expect(first).toMatchObject({ code: 0, stdout: 'Red.\n' });
      expect(first.stderr).toMatch(
        /^lmapp: Phi 3 answered; asked was Llama 3\nlmapp: No streaming: GPT4All sent the whole answer after [\d.]+ s\.\n$/,
      );
      expect((await ask()).stderr).toMatch(/lmapp: The answer is empty\.\n/);
      expect((await ask('--json')).stderr).toBe('');
    } finally {
      await raw.stop();
    }
    server.play({ answer: ['Blue.'], promptTokens: 70_000 });
    expect((await chat(['Why?'])).stderr).toMatch(
      /^lmapp: the model did not see all of the message: prompt_eval_count \+ eval_count is above num_ctx\n$/,
    );
    server.play({ answer: ['Blue'], failure: { kind: 'no-end', after: 1 } });
    expect(await chat(['Why?'])).toMatchObject({
      code: 1,
      stderr:
        'lmapp: The answer ended before it was complete.\nThe server told no reason: ask again, or look into its log.\n',
    });
  });

  it('takes the message from standard input', async () => {
    expect(await chat([], { input: 'Why?' })).toMatchObject({ code: 0, stdout: 'Blue is short.\n' });
    expect(await chat(['Review:', '-'], { input: 'diff' })).toMatchObject({ code: 0 });
    expect(await chat([], { input: ' \n' })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('empty') as unknown,
    });
  });

  it('takes what stands behind -- as words, whatever they begin with', async () => {
    expect(await chat(['What is', '--', '-3', '--json'])).toMatchObject({
      code: 0,
      stdout: 'Blue is short.\n',
    });
    expect(server.bodies.at(-1)).toContain('"content":"What is -3 --json"');
  });

  it('does not wait for standard input beside a text', async () => {
    expect(await chat(['Why?'], { input: null })).toMatchObject({ code: 0 });
  });

  it('prints every event as JSON', async () => {
    const { stdout } = await chat(['--json', 'Why?']);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.at(-1)).toMatchObject({ type: 'ended', outcome: 'complete' });
  });

  it('case 70: Ctrl+C cancels with code 130, closes the connection and keeps what came', async () => {
    server.play({ answer: 1000, tokensPerSecond: 50 });
    const result = await chat(['Why?'], {
      onStart: (child) => child.stdout?.once('data', () => child.kill('SIGINT')),
    });
    expect(result.code).toBe(130);
    expect(result.stdout).not.toBe('');
    expect(server.answers.at(-1)?.closedByClientAt).not.toBeNull();
  });

  it('fails with code 1 when the answer breaks, and says why', async () => {
    server.play({ answer: 10, failure: { kind: 'cut', after: 2 } });
    const result = await chat(['Why?']);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('connection') as unknown });
    expect(result.stdout).not.toBe('');
  });

  it('asks with the parameters of its flags, which go before the configuration, and says that it was cut off', async () => {
    home.configure({ temperature: 0.7, seed: 7, maxTokens: 100 });
    const flags = ['--temperature', 'null', '--top-p=0.5', '--max-tokens', '2'];
    expect(await chat([...flags, 'Why?'])).toMatchObject({
      code: 0,
      stdout: 'Blue is \n',
      stderr:
        'lmapp: the answer was cut off at 2 tokens, as maxTokens says (--max-tokens N sets another limit)\n',
    });
    const body = JSON.parse(server.bodies[server.requests.lastIndexOf('POST /api/chat')] ?? '') as object;
    expect(body).toMatchObject({ options: { top_p: 0.5, seed: 7, num_predict: 2 } });
    expect(JSON.stringify(body)).not.toContain('temperature');
    expect(await chat(['--temperature', '9', 'Why?'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--temperature is "9"; allowed is a number from 0 to 5') as unknown,
    });
  });

  it('names the nearest models for an unknown one', async () => {
    const { stdout } = await runLmapp(['models', '--json', '--no-discovery', '--url', server.url], {
      env: home.env,
    });
    const name = (JSON.parse(stdout) as { name: string }[])[0]?.name ?? '';
    const typo = `${name.slice(0, 2)}x${name.slice(3)}`;
    const result = await chat(['--model', typo, 'Why?']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(`no server has the model ${typo}`);
    expect(result.stderr).toContain('Did you mean');
    expect((await chat(['--model', name, 'Why?'])).code).toBe(0);
  });

  it('says which server did not answer and what to do', async () => {
    const result = await runLmapp(['chat', '--no-discovery', '--url', 'http://127.0.0.1:1', 'x'], {
      env: home.env,
    });
    expect(result).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('http://127.0.0.1:1') as unknown,
    });
  });

  it('waits for a server that is still loading its model, unless it is to go on with another', async () => {
    const slow = await RawServer.start();
    try {
      const loading = json({ error: { message: 'Loading model', code: 503 } }, 503, { Server: 'llama.cpp' });
      const list = json({ data: [{ id: 'late', owned_by: 'llamacpp' }] }, 200, { Server: 'llama.cpp' });
      const answer = json({ choices: [{ message: { content: 'here now' }, finish_reason: 'stop' }] });
      slow
        .reply('/v1/models', loading, loading, loading, list)
        .reply('/v1/chat/completions', answer)
        .reply('/props', json({}, 404));
      const args = ['chat', '--no-discovery', '--url', `llama.cpp+${slow.url}`, 'x'];
      expect(await runLmapp(args, { env: home.env })).toEqual({
        code: 0,
        signal: null,
        stdout: 'here now\n',
        stderr: '',
      });
      expect(slow.seen('/v1/models').length).toBeGreaterThanOrEqual(4);
      slow.reply('/v1/models', loading);
      home.configure({ fallback: ['mock'] });
      const env = { ...home.env, LMAPP_MOCK_TEXT: 'mocked', LMAPP_MOCK_TOKENS_PER_SECOND: '5000' };
      const gone = await runLmapp([...args, '--fallback', 'auto'], { env });
      expect(gone).toMatchObject({ code: 0, stdout: expect.stringContaining('mocked') as unknown });
      expect(gone.stderr).toContain('is still loading its model');
    } finally {
      await slow.stop();
    }
  });

  it('honours OLLAMA_HOST and the configuration', async () => {
    const env = { ...home.env, OLLAMA_HOST: `127.0.0.1:${server.port}` };
    expect(await runLmapp(['chat', '--no-discovery', 'x'], { env })).toMatchObject({ code: 0 });
    home.configure({ discovery: false, backends: [{ url: server.url }] });
    expect(await runLmapp(['chat', 'x'], { env: home.env })).toMatchObject({
      code: 0,
      stdout: 'Blue is short.\n',
    });
  });

  it('names OLLAMA_HOST when that holds no address, and takes blanks for nothing', async () => {
    const ask = (host: string) =>
      runLmapp(['chat', '--no-discovery', '--url', server.url, 'x'], {
        env: { ...home.env, OLLAMA_HOST: host },
      });
    expect(await ask('127.0.0.1:99999')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^lmapp: OLLAMA_HOST: The port of the address is not a number/,
      ) as unknown,
    });
    expect(await ask('  ')).toMatchObject({ code: 0, stderr: '' });
  });

  it('works with the mock, without any server', async () => {
    const env = { ...home.env, LMAPP_MOCK_TEXT: 'mocked', LMAPP_MOCK_TOKENS_PER_SECOND: '5000' };
    expect(await runLmapp(['chat', '--mock', 'x'], { env })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('mocked') as unknown,
    });
  });

  it('takes a reader that leaves for no error', () => {
    const command = `"${process.execPath}" "${LMAPP}" chat --mock x | head -c 1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], {
      env: { ...process.env, ...home.env },
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/0\n$/);
    expect(stderr).toBe('');
  });

  it('goes on without a home that can be written', async () => {
    const blocked = path.join(home.folder, 'file');
    fs.writeFileSync(blocked, '');
    const env = Object.fromEntries(Object.keys(home.env).map((name) => [name, path.join(blocked, 'x')]));
    expect(await chat(['Why?'], { env })).toMatchObject({ code: 0, stdout: 'Blue is short.\n' });
  });
});

describe('lmapp models', () => {
  it('lists the models of the server, and keeps them for completions', async () => {
    const { code, stdout } = await runLmapp(['models', '--no-discovery', '--url', server.url], {
      env: home.env,
    });
    expect(code).toBe(0);
    expect(stdout).toContain(`ollama ${server.url}`);
    expect(fs.existsSync(path.join(home.folder, 'cache', 'lmapp', 'models.json'))).toBe(true);
  });

  it('fails with code 1 and a next step when there is none', async () => {
    const result = await runLmapp(['models', '--no-discovery'], { env: home.env });
    expect(result).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('ollama serve') as unknown,
    });
  });
});
