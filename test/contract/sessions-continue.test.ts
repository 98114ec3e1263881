import { afterEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import type { Turn } from '../../src/domain/chat.js';
import { wholeText } from '../../src/domain/text.js';
import { systemClock } from '../../src/ports.js';
import { chatFileOf } from '../../src/sessions/chat-file.js';
import { parseChat } from '../../src/sessions/read-chat.js';
import { openStore, type ChatStore } from '../../src/sessions/store.js';
import { useFolder } from '../support/folder.js';
import { answering, completed, turnWith } from '../support/turns.js';

const folder = useFolder();
const open: ChatStore[] = [];

function store(): ChatStore {
  const made = openStore(folder.path('chats'), { clock: systemClock, onProblem: () => undefined });
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const broken = (turn: Turn): Turn => ({ ...turn, outcome: 'broken', endedMono: turn.startedMono + 700 });

/** As the state does it. */
function goneOnWith(turn: Turn): Turn {
  return {
    ...turn,
    outcome: null,
    endReason: null,
    endedMono: null,
    notes: ['gone on with'],
    startedMono: turn.startedMono + 60_000,
    earlier: {
      runs: (turn.earlier?.runs ?? 0) + 1,
      pieces: turn.pieces,
      answerTokens: null,
      ms: (turn.endedMono ?? 0) - turn.startedMono,
    },
  };
}

const fileText = (): string => fs.readFileSync(chatFileOf(folder.path('chats'), 'c1'), 'utf8');
const only = (text: string): Turn => {
  const { turns } = parseChat('c1', text);
  expect(turns).toHaveLength(1);
  return turns[0] as Turn;
};

describe('an answer that is gone on with', () => {
  it('has in its file both parts, and the end of the last run', async () => {
    const first = store();
    const one = answering(turnWith(), 'The sky ');
    first.write('c1', one);
    first.write('c1', broken(one));
    await first.flush();
    const two = answering(goneOnWith(broken(one)), 'is blue.');
    first.write('c1', goneOnWith(broken(one)));
    first.write('c1', two);
    first.write('c1', completed(two));
    await first.flush();
    const read = only(fileText());
    expect(wholeText(read.answer)).toBe('The sky is blue.');
    expect(read).toMatchObject({
      outcome: 'complete',
      notes: ['gone on with'],
      pieces: 2,
      endedMono: 2000,
      earlier: { runs: 1, pieces: 1, ms: 700 },
    });
    // Append only: the first end is still there, the text stands once.
    expect(fileText().match(/"t":"end"/g)).toHaveLength(2);
    expect(fileText().match(/The sky/g)).toHaveLength(1);
  });

  it('keeps what it was asked with, checked when it is read', async () => {
    const first = store();
    const sampling = { temperature: 0, topP: null, seed: 7, maxTokens: 200 };
    const one = { ...answering(turnWith(), 'The sky '), sampling };
    first.write('c1', one);
    first.write('c1', { ...completed(one), endReason: 'length' });
    await first.flush();
    expect(only(fileText())).toMatchObject({ endReason: 'length', sampling });
    const damaged = fileText().replace('"maxTokens":200', '"maxTokens":"all"');
    expect(only(damaged).sampling).toEqual({ ...sampling, maxTokens: null });
  });

  it('is interrupted, with its text, when the program is killed while it is gone on with', async () => {
    const first = store();
    const one = answering(turnWith(), 'The sky ');
    first.write('c1', broken(one));
    await first.flush();
    const goesOn = goneOnWith(broken(one));
    first.write('c1', goesOn);
    first.write('c1', answering(goesOn, 'is'));
    await first.flush();
    // Nothing is written any more: this is what kill -9 leaves.
    const read = only(fileText());
    expect(read).toMatchObject({ outcome: 'interrupted', fault: null, notes: ['gone on with'], pieces: 1 });
    expect(wholeText(read.answer)).toBe('The sky is');

    // Another run of the program goes on from what it read.
    await first.close();
    const second = store();
    const again = goneOnWith(read);
    second.write('c1', again);
    second.write('c1', completed(answering(again, ' blue.')));
    await second.flush();
    const last = only(fileText());
    expect(wholeText(last.answer)).toBe('The sky is blue.');
    expect(last).toMatchObject({ outcome: 'complete', earlier: { runs: 2 } });
    expect(fileText().match(/"t":"prompt"/g)).toHaveLength(1);
  });

  it('is right wherever the writing of its file is cut off', async () => {
    const first = store();
    const one = answering(turnWith(), 'The 👍 ');
    first.write('c1', one);
    await first.flush();
    first.write('c1', broken(one));
    await first.flush();
    const goesOn = goneOnWith(broken(one));
    first.write('c1', goesOn);
    await first.flush();
    const two = answering(goesOn, 'is');
    first.write('c1', two);
    await first.flush();
    first.write('c1', completed(two));
    await first.flush();
    const bytes = Buffer.from(fileText());
    const goesOnAt = bytes.indexOf('{"t":"continue"');
    const lineEnd = (at: number): number => bytes.indexOf('\n', at);
    const lastEnd = bytes.lastIndexOf('{"t":"end"');
    const firstEnd = bytes.indexOf('{"t":"end"');
    for (let size = 0; size <= bytes.length; size++) {
      const [turn] = parseChat('c1', bytes.subarray(0, size).toString('utf8')).turns;
      if (!turn) continue;
      expect('The 👍 is'.startsWith(wholeText(turn.answer))).toBe(true);
      const run = size >= lineEnd(goesOnAt) ? 2 : 1;
      const ended = size >= lineEnd(run === 1 ? firstEnd : lastEnd);
      expect([size, turn.outcome]).toEqual([
        size,
        !ended ? 'interrupted' : run === 1 ? 'broken' : 'complete',
      ]);
    }
  });

  it('reads the same when lines stand twice or an earlier end comes late', async () => {
    const first = store();
    const one = answering(turnWith(), 'The sky ');
    first.write('c1', one);
    await first.flush();
    first.write('c1', broken(one));
    await first.flush();
    const goesOn = goneOnWith(broken(one));
    first.write('c1', goesOn);
    const two = answering(goesOn, 'is blue.');
    first.write('c1', two);
    await first.flush();
    first.write('c1', completed(two));
    await first.flush();
    const lines = fileText().trim().split('\n');
    const plain = only(lines.join('\n'));
    const [header = '', prompt = '', delta = '', ...rest] = lines;
    const twice = [header, prompt, delta, delta, ...rest.flatMap((line) => [line, line])];
    expect(only(twice.join('\n'))).toEqual(plain);
    const endOfFirst = lines.find((line) => line.includes('"broken"')) ?? '';
    expect(only([...lines, endOfFirst].join('\n'))).toEqual(plain);
    const goesOnLine = lines.find((line) => line.includes('"continue"')) ?? '';
    expect(only([...lines, goesOnLine].join('\n'))).toEqual(plain);
  });

  it('loses nothing when it is gone on with while its end is being written', async () => {
    const first = store();
    const one = answering(turnWith(), 'a'.repeat(200_000));
    first.write('c1', broken(one));
    const goesOn = goneOnWith(broken(one));
    first.write('c1', goesOn);
    first.write('c1', answering(goesOn, ' and b'));
    first.flushSync();
    first.write('c1', completed(answering(goesOn, ' and b')));
    await first.flush();
    const read = only(fileText());
    expect(wholeText(read.answer)).toBe(`${'a'.repeat(200_000)} and b`);
    expect(read.outcome).toBe('complete');
  });

  it('takes no late events of its first run', async () => {
    const first = store();
    const one = answering(turnWith(), 'one');
    first.write('c1', broken(one));
    await first.flush();
    const goesOn = goneOnWith(broken(one));
    first.write('c1', completed(answering(goesOn, ' two')));
    await first.flush();
    const size = fileText().length;
    first.write('c1', answering(one, ' late'));
    first.write('c1', goesOn);
    await first.flush();
    expect(fileText()).toHaveLength(size);
  });
});

describe('an answer of another model than was asked', () => {
  it('keeps the models that could not start', async () => {
    const first = store();
    const fault = { code: 'not-running', message: 'nothing listens', hint: null, status: null } as const;
    const fellBackFrom = [{ modelKey: 'a/one', modelLabel: 'one', backendTitle: 'a', fault }];
    first.write('c1', completed(answering(turnWith({ fellBackFrom }), 'So.')));
    await first.flush();
    expect(only(fileText()).fellBackFrom).toEqual(fellBackFrom);
  });

  it('is read without them when they are damaged', () => {
    const prompt = { t: 'prompt', turn: 'a', at: 5, text: 'Q', modelKey: 'k', model: 'm', backend: 'b' };
    for (const fellBackFrom of [7, [null], [{ fault: 'x' }], ['x'], {}])
      expect(only(JSON.stringify({ ...prompt, fellBackFrom })).fellBackFrom).toEqual([]);
  });
});
