import { afterEach, describe, expect, it } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { wholeText } from '../../src/domain/text.js';
import { systemClock } from '../../src/ports.js';
import { chatFileOf } from '../../src/sessions/chat-file.js';
import type { ChatStore, StoreProblem } from '../../src/sessions/store.js';
import { newIdSeed } from '../../src/sessions/id-seed.js';
import { openStore } from '../../src/sessions/store.js';
import { useFolder } from '../support/folder.js';
import { answering, completed, thinking, turnWith } from '../support/turns.js';

const folder = useFolder();
const open: ChatStore[] = [];

function storeAt(directory: string): { store: ChatStore; problems: StoreProblem[] } {
  const problems: StoreProblem[] = [];
  const store = openStore(directory, { clock: systemClock, onProblem: (problem) => problems.push(problem) });
  open.push(store);
  return { store, problems };
}

/** A process of its own that holds the lock of a chat; killed when the test ends. */
function processThatHolds(lockFile: string): { pid: number; kill(): Promise<void> } {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const stat = fs.existsSync('/proc/self/stat')
    ? fs.readFileSync(`/proc/${child.pid ?? 0}/stat`, 'utf8')
    : null;
  const start = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  const host = spawnSync('hostname').stdout.toString().trim();
  fs.writeFileSync(lockFile, JSON.stringify({ pid: child.pid, host, start }));
  return {
    pid: child.pid ?? 0,
    kill: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
});

describe('the store of chats', () => {
  it('keeps what the log warned of, also what came after the end was written', async () => {
    const { store } = storeAt(folder.path('chats'));
    store.startChat('c1', 'Why?');
    const cut = { kind: 'cut', at: 5, source: 'ollama', text: 'truncating input prompt' } as const;
    const memory = { kind: 'memory', at: 6, source: 'ollama', text: 'cudaMalloc failed' } as const;
    const ended = completed({
      ...answering(turnWith(), 'Because.'),
      requestId: 'chatcmpl-1',
      logWarnings: [cut],
    });
    store.write('c1', ended);
    await store.flush();
    store.write('c1', { ...ended, logWarnings: [cut, memory] });
    // Nothing more is told by this.
    store.write('c1', ended);
    await store.flush();
    const [read] = (await store.read('c1')).turns;
    expect(read).toMatchObject({ logWarnings: [cut, memory], requestId: 'chatcmpl-1', outcome: 'complete' });
    expect(wholeText(read?.answer ?? ended.answer)).toBe('Because.');
    const lines = fs
      .readFileSync(chatFileOf(folder.path('chats'), 'c1'), 'utf8')
      .trim()
      .split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { t: string }).t)).toEqual([
      'chat',
      'prompt',
      'delta',
      'end',
      'end',
    ]);
  });

  it('gives back a whole turn: question, thinking, answer, figures and end', async () => {
    const { store, problems } = storeAt(folder.path('chats'));
    store.startChat('c1', 'Why?');
    const turn = answering(thinking(turnWith(), 'Hm.'), 'Because. ünï 👍');
    store.write('c1', turn);
    const usage = { ...turn.usage, answerTokens: 7, answerPerSecond: 41.5 };
    store.write('c1', { ...completed(turn), usage, notes: ['a note'], firstTokenMono: 350 });
    await store.flush();
    const chat = await store.read('c1');
    expect(chat).toMatchObject({ id: 'c1', title: 'Why?', skippedLines: 0 });
    const [read] = chat.turns;
    expect(read).toMatchObject({
      prompt: 'Why?',
      outcome: 'complete',
      endReason: 'stop',
      usage,
      notes: ['a note'],
    });
    expect(wholeText(read?.answer ?? turn.answer)).toBe('Because. ünï 👍');
    expect(wholeText(read?.thinking ?? turn.answer)).toBe('Hm.');
    // Times count from the question.
    expect(read).toMatchObject({ startedMono: 0, firstTokenMono: 250, endedMono: 2000 });
    expect(problems).toEqual([]);
  });

  it('gives back what told the figures, what was cut, and what was left out', async () => {
    const { store } = storeAt(folder.path('chats'));
    store.startChat('c1', 'Why?');
    const more = {
      sources: { answerTokens: 'eval_count', queued: '/slots' },
      truncation: { messages: 4, tokens: null, source: 'prompt tokens fell from 2019 to 1026' },
      droppedTurns: ['turn-0'],
    };
    store.write('c1', { ...completed(turnWith()), ...more });
    await store.flush();
    expect((await store.read('c1')).turns[0]).toMatchObject(more);
  });

  it('appends only what is new', async () => {
    const { store } = storeAt(folder.path('chats'));
    let turn = turnWith();
    for (const piece of ['one ', 'two ', 'three']) {
      turn = answering(turn, piece);
      store.write('c1', turn);
      await store.flush();
    }
    const lines = fs
      .readFileSync(chatFileOf(folder.path('chats'), 'c1'), 'utf8')
      .trim()
      .split('\n');
    const pieces = lines
      .map((line) => JSON.parse(line) as { t: string; answer?: object })
      .filter(({ t }) => t === 'delta');
    expect(pieces.map(({ answer }) => answer)).toEqual([
      { from: 0, text: 'one ' },
      { from: 4, text: 'two ' },
      { from: 8, text: 'three' },
    ]);
  });

  it('has received text on the disk within a second, without being asked', async () => {
    const { store } = storeAt(folder.path('chats'));
    const turn = answering(turnWith(), 'so far');
    store.write('c1', turnWith());
    await store.flush();
    store.write('c1', turn);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(fs.readFileSync(chatFileOf(folder.path('chats'), 'c1'), 'utf8')).toContain('so far');
  });

  it('lets only its owner read files and folders', async () => {
    const { store } = storeAt(folder.path('data', 'lmapp', 'chats'));
    store.write('c1', completed(turnWith()));
    await store.flush();
    expect(fs.statSync(folder.path('data', 'lmapp', 'chats')).mode & 0o777).toBe(0o700);
    expect(fs.statSync(chatFileOf(folder.path('data', 'lmapp', 'chats'), 'c1')).mode & 0o777).toBe(0o600);
  });

  it('reads a turn without an end as interrupted, with its text', async () => {
    const { store } = storeAt(folder.path('chats'));
    store.write('c1', answering(turnWith(), 'half an ans'));
    await store.flush();
    const [turn] = (await store.read('c1')).turns;
    expect(turn?.outcome).toBe('interrupted');
    expect(wholeText(turn?.answer ?? turnWith().answer)).toBe('half an ans');
  });

  it('skips and counts damaged and foreign lines, keeps them, and goes on behind a torn last line', async () => {
    const { store } = storeAt(folder.path('chats'));
    store.write('c1', completed(answering(turnWith(), 'first')));
    await store.close();
    const file = chatFileOf(folder.path('chats'), 'c1');
    const damage = 'not json\n{"foreign":true}\n{"t":"delta","turn":"nobody"}\n{"t":"delta","turn":"tu';
    fs.appendFileSync(file, damage);
    const again = storeAt(folder.path('chats'));
    again.store.write('c1', completed(answering(turnWith({ id: 'turn-2', prompt: 'And?' }), 'second')));
    await again.store.flush();
    const chat = await again.store.read('c1');
    expect(chat.skippedLines).toBe(4);
    expect(chat.turns.map(({ answer }) => wholeText(answer))).toEqual(['first', 'second']);
    expect(fs.readFileSync(file, 'utf8')).toContain(damage);
  });

  it('lists the newest first with title and number of questions, and nothing that is no chat', async () => {
    const directory = folder.path('chats');
    const { store } = storeAt(directory);
    store.startChat('old', 'The old one');
    store.write('old', completed(answering(turnWith(), 'x'.repeat(700_000))));
    store.write('old', completed(turnWith({ id: 'turn-2' })));
    await store.flush();
    fs.utimesSync(chatFileOf(directory, 'old'), 1000, 1000);
    store.startChat('new', 'The new one');
    store.write('new', completed(turnWith()));
    await store.flush();
    fs.writeFileSync(path.join(directory, 'notes.txt'), 'mine');
    fs.writeFileSync(path.join(directory, 'empty.ndjson'), '');
    fs.mkdirSync(path.join(directory, 'folder.ndjson'));
    const list = await store.list();
    expect(list.map(({ id, title, turns }) => [id, title, turns])).toEqual([
      ['new', 'The new one', 1],
      ['old', 'The old one', 2],
    ]);
  });

  it('lists hundreds of chats, and again without reading them', async () => {
    const directory = folder.path('chats');
    fs.mkdirSync(directory);
    const line = (value: object) => `${JSON.stringify(value)}\n`;
    const body =
      line({ t: 'chat', v: 1, id: 'x', title: 'T', at: 1 }) +
      line({ t: 'prompt', turn: 'a', at: 1, text: 'Q' });
    const file = (i: number) => path.join(directory, `c${i}.ndjson`);
    const write = (i: number, text: string) => {
      fs.writeFileSync(file(i), text);
      fs.utimesSync(file(i), 1000, 1000);
    };
    for (let i = 0; i < 500; i++) write(i, body + line({ pad: 'y'.repeat(20_000) }));
    const { store } = storeAt(directory);
    expect(await store.list()).toHaveLength(500);
    // What only a second reading would find: another text of the same size and time.
    for (let i = 0; i < 500; i++) write(i, ' '.repeat(fs.statSync(file(i)).size));
    expect(await store.list()).toHaveLength(500);
  });

  it('never leaves its folder, whatever the id', () => {
    expect(chatFileOf('/chats', '../../etc/passwd')).toBe('/chats/______etc_passwd.ndjson');
  });

  it('makes ids that differ and sort by time', () => {
    const seeds = new Set(Array.from({ length: 1000 }, () => newIdSeed(systemClock)));
    expect(seeds.size).toBe(1000);
  });
});

describe('two dashboards', () => {
  it('the second one goes on with a chat in a copy, and both keep their text', async () => {
    const directory = folder.path('chats');
    fs.mkdirSync(directory);
    const first = storeAt(directory);
    first.store.startChat('c1', 'Shared');
    first.store.write('c1', completed(answering(turnWith(), 'common')));
    await first.store.close();
    const other = processThatHolds(`${chatFileOf(directory, 'c1')}.lock`);
    const second = storeAt(directory);
    second.store.write('c1', completed(answering(turnWith({ id: 'turn-2' }), 'mine')));
    await second.store.flush();
    await other.kill();
    expect(second.problems).toMatchObject([
      { level: 'info', message: expect.stringContaining('copy') as unknown },
    ]);
    const texts = async (id: string) =>
      (await second.store.read(id)).turns.map(({ answer }) => wholeText(answer));
    expect(await texts('c1')).toEqual(['common']);
    const copy = (await second.store.list()).find(({ id }) => id !== 'c1');
    expect(await texts(copy?.id ?? '')).toEqual(['common', 'mine']);
    // Once a copy, always this copy.
    second.store.write('c1', completed(answering(turnWith({ id: 'turn-3' }), 'more')));
    await second.store.flush();
    expect(await second.store.list()).toHaveLength(2);
  });

  it('a lock whose process has died does not count', async () => {
    const directory = folder.path('chats');
    fs.mkdirSync(directory);
    const lock = `${chatFileOf(directory, 'c1')}.lock`;
    const other = processThatHolds(lock);
    await other.kill();
    const { store, problems } = storeAt(directory);
    store.write('c1', completed(turnWith()));
    await store.flush();
    expect(problems).toEqual([]);
    expect(await store.list()).toHaveLength(1);
    await store.close();
    expect(fs.existsSync(lock)).toBe(false);
  });

  it('an empty lock, left by a crash, does not count', async () => {
    const directory = folder.path('chats');
    fs.mkdirSync(directory);
    fs.writeFileSync(`${chatFileOf(directory, 'c1')}.lock`, '');
    const { store, problems } = storeAt(directory);
    store.write('c1', completed(turnWith()));
    await store.flush();
    expect(problems).toEqual([]);
  });
});

describe('a disk that refuses', () => {
  const hasFull = fs.existsSync('/dev/full');

  (hasFull ? it : it.skip)('a full disk is told once; when there is room again nothing is lost', async () => {
    const directory = folder.path('chats');
    fs.mkdirSync(directory);
    // A device that answers every write with ENOSPC.
    fs.symlinkSync('/dev/full', chatFileOf(directory, 'c1'));
    const { store, problems } = storeAt(directory);
    let turn = turnWith();
    for (const piece of ['one ', 'two ']) {
      turn = answering(turn, piece);
      store.write('c1', turn);
      await store.flush();
    }
    expect(problems).toMatchObject([
      { level: 'bad', message: 'this chat cannot be saved: the disk is full' },
    ]);
    fs.rmSync(chatFileOf(directory, 'c1'));
    store.write('c1', completed(answering(turn, 'three')));
    await store.flush();
    expect(problems).toMatchObject([{ level: 'bad' }, { level: 'good' }]);
    const [read] = (await store.read('c1')).turns;
    expect(wholeText(read?.answer ?? turn.thinking)).toBe('one two three');
  });

  (hasFull ? it : it.skip)('what it has not taken is told at the end, and nothing where it has', async () => {
    const directory = folder.path('chats');
    fs.mkdirSync(directory);
    const { store } = storeAt(directory);
    store.startChat('c1', 'About rivers');
    store.write('c1', completed(answering(turnWith(), 'one')));
    await store.close();
    expect(store.unsaved()).toBeNull();
    fs.symlinkSync('/dev/full', chatFileOf(directory, 'c2'));
    for (const end of ['close', 'flushSync'] as const) {
      const late = storeAt(directory).store;
      late.startChat('c2', 'About seas');
      late.write('c2', answering(turnWith(), 'one'));
      await late[end]();
      expect(late.unsaved()).toBe(`the chat "About seas" was not saved: the disk is full (${directory})`);
    }
  });

  it('a folder that cannot be made is told once, and the chat goes on', async () => {
    fs.writeFileSync(folder.path('file'), '');
    const { store, problems } = storeAt(path.join(folder.path('file'), 'chats'));
    for (let i = 0; i < 3; i++) {
      store.write('c1', answering(turnWith(), 'x'.repeat(i)));
      await store.flush();
    }
    expect(problems).toHaveLength(1);
    expect(await store.list()).toEqual([]);
    await expect(store.read('c1')).rejects.toThrow('cannot be read');
  });
});

describe('the end of the process', () => {
  it('flushSync writes all that is left, also while a write is under way', async () => {
    const { store } = storeAt(folder.path('chats'));
    const turn = answering(turnWith(), 'a'.repeat(100_000));
    store.write('c1', turn);
    store.write('c1', answering(turn, ' and the last words'));
    store.flushSync();
    await store.flush();
    const chat = await store.read('c1');
    expect(wholeText(chat.turns[0]?.answer ?? turn.thinking)).toBe(
      `${'a'.repeat(100_000)} and the last words`,
    );
    expect(chat.turns).toHaveLength(1);
  });
});
