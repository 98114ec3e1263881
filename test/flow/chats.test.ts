import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { closeDashboards, startDashboard, type TestDashboard } from '../support/dashboard.js';
import { makeHome, type Home } from '../support/home.js';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

let server: ScriptedServer;
let home: Home;

beforeAll(async () => {
  server = await startScriptedServer({ kind: 'ollama' });
});
afterAll(() => server.close());
beforeEach(() => {
  home = makeHome();
});
afterEach(async () => {
  await closeDashboards();
  home.remove();
});

async function open(continueLast = false): Promise<TestDashboard> {
  const at = await startDashboard({ urls: [server.url], home, continueLast });
  await at.sees('scripted:1b · ollama');
  return at;
}

async function ask(at: TestDashboard, question: string, answer: string): Promise<void> {
  server.play({ answer: [answer] });
  at.send(question);
  await at.sees(answer);
  await at.sees(() => !/Esc stop/.test(at.phaseBar()));
}

const chatFiles = (): string[] =>
  fs.existsSync(home.chats) ? fs.readdirSync(home.chats).filter((f) => f.endsWith('.ndjson')) : [];
const stored = (): string =>
  chatFiles()
    .map((f) => fs.readFileSync(path.join(home.chats, f), 'utf8'))
    .join('');

describe('chats', () => {
  it('are kept one file each, private, and Ctrl+N begins a new one', async () => {
    const at = await open();
    await ask(at, 'first question', 'first answer');
    at.type('\x0e');
    await at.misses('first answer');
    await at.sees(() => at.line(0).includes('new chat'));
    await ask(at, 'second question', 'second answer');
    await at.quit();
    expect(chatFiles()).toHaveLength(2);
    for (const file of chatFiles()) expect(fs.statSync(path.join(home.chats, file)).mode & 0o777).toBe(0o600);
    expect(stored()).toContain('first answer');
    expect(stored()).toContain('second answer');
  });

  it('are opened with Ctrl+R, found by a part of their title, and go on in the same file', async () => {
    const at = await open();
    await ask(at, 'about parsers', 'parsers parse');
    at.type('\x0e');
    await ask(at, 'about painters', 'painters paint');
    at.type('\x0e');
    await at.misses('painters paint');
    at.type('\x12');
    await at.sees('about painters');
    await at.sees(/about parsers .*1 question/);
    // The newest stands first until something is typed.
    await at.sees('▸ about painters');
    at.type('parsrs');
    await at.sees('▸ about parsers');
    at.type('\r');
    await at.sees('parsers parse');
    expect(at.line(0)).toContain('about parsers');
    await ask(at, 'more of it', 'more parsing');
    await at.quit();
    expect(chatFiles()).toHaveLength(2);
    expect(
      chatFiles()
        .map((f) => fs.readFileSync(path.join(home.chats, f), 'utf8'))
        .find((t) => t.includes('parsers parse')),
    ).toContain('more parsing');
  });

  it('go on with --continue, with all their turns', async () => {
    const first = await open();
    await ask(first, 'remember me', 'i shall');
    await first.quit();
    const at = await open(true);
    await at.sees('i shall');
    expect(at.line(0)).toContain('remember me');
    await ask(at, 'do you?', 'yes i do');
    const sent = JSON.parse(server.bodies.filter((b) => /"stream":true/.test(b)).at(-1) ?? '{}') as {
      messages: unknown[];
    };
    expect(sent.messages).toHaveLength(3);
  });

  it('without an earlier one, --continue says so', async () => {
    const at = await open(true);
    await at.sees('there is no earlier chat to go on with');
  });

  it('whose answer was cut off by the death of the program are marked interrupted, with the text', async () => {
    const first = await open();
    server.play({ answer: 400, tokensPerSecond: 200 });
    first.send('a long story');
    await first.sees(() => (server.answers.at(-1)?.pieces ?? 0) > 30);
    first.clock.skip(1000);
    await first.sees(() => stored().includes('"t":"delta"'));
    // What a program leaves that is killed now.
    const left = makeHome();
    fs.cpSync(home.folder, left.folder, { recursive: true });
    for (const file of fs.readdirSync(left.chats))
      if (file.endsWith('.lock')) fs.rmSync(path.join(left.chats, file), { recursive: true });
    await first.close();
    const at = await startDashboard({ urls: [server.url], home: left, continueLast: true });
    await at.sees('interrupted: lmapp ended while this was written');
    expect(at.screen()).toContain('parser');
    left.remove();
  });

  it('with a damaged line are opened all the same; the line is told and stays in the file', async () => {
    const first = await open();
    await ask(first, 'question', 'an answer');
    await first.quit();
    const file = path.join(home.chats, chatFiles()[0] ?? '');
    fs.appendFileSync(file, 'no json at all\n');
    const at = await open(true);
    await at.sees('1 line of this chat could not be read');
    expect(at.screen()).toContain('an answer');
    await ask(at, 'again', 'another answer');
    await at.quit();
    expect(fs.readFileSync(file, 'utf8')).toContain('no json at all');
  });

  it('that cannot be written are a notice, and the chat goes on', async () => {
    fs.mkdirSync(path.dirname(home.chats), { recursive: true });
    // A folder in which every write fails, also for root.
    fs.writeFileSync(home.chats, '');
    const at = await open();
    await ask(at, 'does it matter?', 'not to me');
    await at.sees(/chat cannot be saved/);
    await ask(at, 'really?', 'really not');
  });

  it('of two dashboards at once do each other no harm', async () => {
    const first = await open();
    await ask(first, 'shared', 'one');
    const second = await open(true);
    await second.sees('one');
    await ask(first, 'from the first', 'two');
    await ask(second, 'from the second', 'three');
    expect(await first.quit()).toBe(0);
    expect(await second.quit()).toBe(0);
    for (const text of ['one', 'two', 'three']) expect(stored()).toContain(`"${text}"`);
    for (const line of stored().trim().split('\n')) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
});

describe('the message box', () => {
  it('keeps what was sent over starts: Up brings it back, Down the draft', async () => {
    const first = await open();
    await ask(first, 'sent long ago', 'fine');
    await first.quit();
    const at = await open();
    at.type('a draft\x1b[A');
    await at.sees('│ sent long ago');
    at.type('\x1b[B');
    await at.sees('│ a draft');
  });

  it('takes a paste of 100 kB whole, shows it as one chip, and does not send it', async () => {
    const at = await open();
    const text =
      Array.from({ length: 2000 }, (_, i) => `line ${i} of a long paste with some text in it`).join('\n') +
      '\nthe last line';
    const asked = server.answers.length;
    at.type('look at ');
    at.paste(text);
    at.type(' please');
    await at.sees(/│ look at \[pasted: 2,001 lines\] please +│/);
    expect(server.answers.length).toBe(asked);
    server.play({ answer: ['read it all'] });
    at.type('\r');
    await at.sees('read it all');
    expect(
      server.bodies.some((b) => b.includes('line 1999 of a long paste') && b.includes('the last line')),
    ).toBe(true);
  });

  it('goes through $EDITOR and back', async () => {
    const editor = path.join(home.folder, 'editor.sh');
    fs.writeFileSync(editor, '#!/bin/sh\nsed -i "s/worng/right/" "$1"\necho "and a second line" >> "$1"\n', {
      mode: 0o700,
    });
    const at = await startDashboard({ urls: [server.url], home, env: { EDITOR: editor } });
    await at.sees('scripted:1b · ollama');
    at.type('this is worng');
    await at.sees('this is worng');
    at.type('\x07');
    await at.sees('this is right');
    expect(at.screen()).toContain('and a second line');
    expect(at.line(0)).toContain('lmapp');
    at.type('!');
    await at.sees('and a second line!');
  });

  it('is as it was when $EDITOR fails', async () => {
    const at = await startDashboard({ urls: [server.url], home, env: { EDITOR: 'false' } });
    await at.sees('scripted:1b · ollama');
    at.type('keep me');
    await at.sees('keep me');
    at.type('\x07');
    await at.sees('the editor "false" ended with 1');
    expect(at.screen()).toContain('│ keep me');
  });

  it('makes new lines with Ctrl+J, Alt+Enter and backslash Enter, and grows', async () => {
    const at = await open();
    at.type('one\x0atwo\x1b\rthree\\\rfour');
    await at.sees('│ four');
    const top = at.rowOf('│ one');
    expect(at.line(top + 1)).toContain('│ two');
    expect(at.line(top + 2)).toContain('│ three');
    expect(at.line(top + 3)).toContain('│ four');
  });
});
