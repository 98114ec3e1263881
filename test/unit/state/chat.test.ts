import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../../../src/domain/chat.js';
import { NO_SAMPLING } from '../../../src/domain/sampling.js';
import { textOf, wholeText } from '../../../src/domain/text.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import { titleOf } from '../../../src/state/chats.js';
import {
  ask,
  checked,
  createMachine,
  createReadyMachine,
  found,
  listed,
  modelOf,
  searched,
  server,
} from '../../support/machine.js';
import { turnWith } from '../../support/turns.js';

const text = (turnId: string, words: string, pieces = 1): AppEvent => ({
  type: 'turn.text.delta',
  turnId,
  text: words,
  pieces,
});
const ended = (turnId: string, outcome: Outcome = 'complete'): AppEvent => ({
  type: 'turn.ended',
  turnId,
  outcome,
  reason: outcome === 'complete' ? 'stop' : null,
  fault: null,
});

describe('a message', () => {
  it('starts an answer of the selected model, is kept in history and chat, and leaves the box empty', () => {
    const machine = createReadyMachine({ system: 'Be brief.' });
    const id = ask(machine, 'Why?');
    expect(machine.state.prompt).toMatchObject({ text: '', history: ['Why?'] });
    expect(machine.state.chat.live).toMatchObject({
      id,
      prompt: 'Why?',
      modelLabel: 'small',
      phase: 'sending',
    });
    expect(machine.wanted('chat.start')).toEqual([
      {
        type: 'chat.start',
        turnId: id,
        modelKey: 'ollama@a/small',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Why?' },
        ],
        contextTokens: null,
        sampling: NO_SAMPLING,
        goesOn: null,
        room: null,
      },
    ]);
    expect(machine.wanted('session.start')).toEqual([
      { type: 'session.start', chatId: 'seed', title: 'Why?' },
    ]);
    expect(machine.wanted('history.remember')).toEqual([{ type: 'history.remember', text: 'Why?' }]);
  });

  it('that is blank does nothing', () => {
    const machine = createReadyMachine();
    ask(machine, '  \n ');
    expect(machine.state.chat.live).toBeNull();
    expect(machine.state.prompt.text).toBe('  \n ');
  });

  it('without a model stays in the box, and the next step is said', () => {
    const machine = createMachine().send(searched);
    ask(machine, 'Why?');
    expect(machine.state.prompt.text).toBe('Why?');
    expect(machine.told).toEqual(['no model to ask']);
    expect(machine.state.notices.at(-1)?.hint).toContain('Start a server');
  });

  it('while servers are looked for waits, and goes out once the model that was found is confirmed', () => {
    const machine = createMachine();
    ask(machine, 'Why?');
    expect(machine.state.prompt.text).toBe('');
    const models = [modelOf('ollama@a', 'small')];
    machine.send(found(server('ollama@a')), listed('ollama@a', models, true), searched);
    expect(machine.wanted('chat.start')).toEqual([]);
    const waits = (): readonly boolean[] =>
      machine.state.notices
        .filter(({ text }) => text.startsWith('the message waits'))
        .map(({ over }) => over);
    expect(waits()).toEqual([false]);
    machine.send(checked('ollama@a'), listed('ollama@a', models));
    expect(machine.wanted('chat.start')).toHaveLength(1);
    expect(machine.state.chat.queue).toEqual([]);
    expect(waits()).toEqual([true]);
  });

  it('that waits for servers goes back into the box, and the next step is said, when they have no model', () => {
    const machine = createMachine();
    ask(machine, 'Why?');
    machine.type('And').send(found(server('ollama@a')), searched, checked('ollama@a'));
    expect(machine.state.prompt.text).toBe('And');
    machine.send(listed('ollama@a', []));
    expect(machine.state.prompt.text).toBe('Why?\n\nAnd');
    expect(machine.state.notices.at(-1)?.hint).toContain('No server has a model to chat with');
    expect(machine.state.notices.filter(({ over }) => !over).map(({ text }) => text)).toEqual([
      'no model to ask',
    ]);
    expect(machine.wanted('chat.start')).toEqual([]);
  });

  it('follows the answers before it, but for those that said nothing', () => {
    const machine = createReadyMachine();
    const first = ask(machine, 'one');
    machine.send(text(first, 'first'), ended(first));
    const second = ask(machine, 'two');
    machine.send(ended(second, 'failed'));
    ask(machine, 'three');
    expect(machine.wanted('chat.start').at(-1)?.messages).toEqual([
      { role: 'user', content: 'one' },
      { role: 'assistant', content: 'first' },
      { role: 'user', content: 'three' },
    ]);
  });
});

describe('an answer', () => {
  it('goes through its phases once each, in the order in which they came', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(
      { type: 'turn.queued', turnId: id },
      { type: 'turn.loading', turnId: id, progress: 0.5 },
      { type: 'turn.prefill', turnId: id, progress: { processed: 1, total: 2, cached: 0 } },
      { type: 'turn.prefill', turnId: id, progress: { processed: 2, total: 2, cached: 0 } },
      { type: 'turn.reasoning.delta', turnId: id, text: 'hm', pieces: 1 },
      text(id, 'Be'),
      text(id, 'cause'),
    );
    const live = machine.state.chat.live;
    expect(live?.phases.map(({ phase }) => phase)).toEqual([
      'sending',
      'queued',
      'loading',
      'prefill',
      'thinking',
      'answering',
    ]);
    expect(wholeText(live?.thinking ?? textOf(''))).toBe('hm');
    expect(wholeText(live?.answer ?? textOf(''))).toBe('Because');
    expect(live?.pieces).toBe(3);
  });

  it('is written as it grows and when it ends', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(text(id, 'a'), text(id, 'b'), ended(id));
    const written = machine.wanted('session.write').map(({ turn }) => [wholeText(turn.answer), turn.outcome]);
    expect(written).toEqual([
      ['', null],
      ['a', null],
      ['ab', null],
      ['ab', 'complete'],
    ]);
  });

  it('keeps figures that are told; what is not told later does not take them away', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(
      { type: 'turn.usage', turnId: id, usage: { promptTokens: 12, answerTokens: null } },
      { type: 'turn.usage', turnId: id, usage: { promptTokens: null, answerTokens: 3 } },
    );
    expect(machine.state.chat.live?.usage).toMatchObject({ promptTokens: 12, answerTokens: 3 });
  });

  it('of an earlier turn that comes late changes nothing at all', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(text(id, 'so'), { type: 'command.invoked', command: 'interrupt' });
    ask(machine, 'And now?');
    const before = machine.state;
    machine.send(text(id, ' late'), ended(id, 'broken'), {
      type: 'turn.usage',
      turnId: id,
      usage: { promptTokens: 1 },
    });
    expect(machine.state).toBe(before);
    expect(machine.state.chat.done.at(-1)).toMatchObject({ outcome: 'cancelled' });
  });

  it.each(['complete', 'incomplete', 'failed', 'broken'] as const)(
    'that ended %s is kept as such, and the server is asked anew',
    (outcome) => {
      const machine = createReadyMachine();
      const id = ask(machine, 'Why?');
      machine.send(text(id, 'some'), ended(id, outcome));
      expect(machine.state.chat.live).toBeNull();
      expect(machine.state.chat.done.map((t) => [t.outcome, wholeText(t.answer)])).toEqual([
        [outcome, 'some'],
      ]);
      expect(machine.wanted('models.refresh')).toEqual([{ type: 'models.refresh', backendId: 'ollama@a' }]);
    },
  );

  it('that is stopped is over at once, its text kept, its socket to be closed', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(text(id, 'half')).command('escape');
    expect(machine.state.chat).toMatchObject({ live: null });
    expect(machine.state.chat.done.map((t) => [t.outcome, wholeText(t.answer)])).toEqual([
      ['cancelled', 'half'],
    ]);
    expect(machine.wanted('chat.cancel')).toEqual([{ type: 'chat.cancel', turnId: id }]);
  });

  it('moves its figures at most four times a second', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(text(id, 'a'));
    const shown = machine.state.chat.shownPieces;
    machine.send(text(id, 'b'), text(id, 'c'));
    expect(machine.state.chat.shownPieces).toBe(shown);
    machine.pass(300).send(text(id, 'd'));
    expect(machine.state.chat.shownPieces).toBe(4);
  });
});

describe('messages that wait', () => {
  it('go out one after the other, when the answer before is complete', () => {
    const machine = createReadyMachine();
    const first = ask(machine, 'one');
    ask(machine, 'two');
    ask(machine, 'three');
    expect(machine.state.chat.queue).toEqual(['two', 'three']);
    machine.send(text(first, 'x'), ended(first));
    expect(machine.state.chat).toMatchObject({ live: { prompt: 'two' }, queue: ['three'] });
    machine.send(ended(machine.state.chat.live?.id ?? '', 'incomplete'));
    expect(machine.state.chat).toMatchObject({ live: { prompt: 'three' }, queue: [] });
  });

  it.each(['failed', 'broken'] as const)(
    'stay after an answer that %s, and go first with the next Enter',
    (outcome) => {
      const machine = createReadyMachine();
      const first = ask(machine, 'one');
      ask(machine, 'two');
      machine.send(ended(first, outcome));
      expect(machine.state.chat).toMatchObject({ live: null, queue: ['two'] });
      expect(machine.told).toContain('1 waiting not sent');
      ask(machine, 'three');
      expect(machine.state.chat).toMatchObject({ live: { prompt: 'two' }, queue: ['three'] });
    },
  );

  it('are taken back with Up on an empty box, the last one first, before the history', () => {
    const machine = createReadyMachine();
    ask(machine, 'one');
    ask(machine, 'two');
    ask(machine, 'three');
    const up: AppEvent = { type: 'prompt.edited', edit: { op: 'history', direction: -1 } };
    machine.send(up);
    expect(machine.state.prompt.text).toBe('three');
    expect(machine.state.chat.queue).toEqual(['two']);
  });

  it('of a chat go with it', () => {
    const machine = createReadyMachine();
    ask(machine, 'one');
    ask(machine, 'two');
    machine.command('chat.new');
    expect(machine.state.chat).toMatchObject({ live: null, queue: [], done: [], title: '' });
    expect(machine.wanted('chat.cancel')).toHaveLength(1);
  });
});

describe('the same again', () => {
  it('puts the new answer in the place of the last one', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(text(id, 'wrong'), ended(id)).command('turn.retry');
    expect(machine.state.chat.done).toEqual([]);
    expect(machine.state.chat.live?.prompt).toBe('Why?');
    expect(machine.wanted('chat.start').at(-1)?.messages).toEqual([{ role: 'user', content: 'Why?' }]);
  });

  it('says so when there is no model to ask yet', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(text(id, 'wrong'), ended(id), listed('ollama@a', []));
    machine.command('turn.retry');
    expect(machine.told.at(-1)).toBe('no model to ask yet');
    expect(machine.state.chat.done).toHaveLength(1);
  });

  it('takes the last code block of an answer to the clipboard, or says that there is none', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'Why?');
    machine.send(text(id, 'no code'), ended(id)).command('turn.copy-code');
    expect(machine.told).toContain('no code block in this answer');
    const next = ask(machine, 'code!');
    machine
      .send(text(next, '```js\none\n```\n```js\ntwo\n```\n'), ended(next))
      .command('turn.copy-code')
      .command('turn.copy');
    expect(machine.wanted('clipboard.copy').map((e) => [e.what, e.text.trim()])).toEqual([
      ['code block', 'two'],
      ['message', '```js\none\n```\n```js\ntwo\n```'],
    ]);
  });
});

describe('a stored chat', () => {
  it('is shown with its turns, and goes on under its own id', () => {
    const machine = createReadyMachine();
    const turns = [
      { ...turnWith({ id: 'old', answer: textOf('old answer') }), outcome: 'complete' as const },
    ];
    machine.send({
      type: 'session.opened',
      chat: { id: 'kept', title: 'Old', turns, skippedLines: 2 },
    });
    expect(machine.state.chat).toMatchObject({ id: 'kept', title: 'Old', stored: true });
    expect(machine.told).toEqual(['2 lines of this chat could not be read']);
    ask(machine, 'go on');
    expect(machine.wanted('session.start')).toEqual([]);
    expect(machine.wanted('session.write').at(-1)?.chatId).toBe('kept');
    expect(machine.wanted('chat.start').at(-1)?.messages).toHaveLength(3);
  });
});

describe('the title of a chat', () => {
  it.each([
    ['  first line\nsecond', 'first line'],
    ['x'.repeat(100), `${'x'.repeat(59)}…`],
  ])('is the first line of its first message, shortened: %j', (message, title) => {
    expect(titleOf(message)).toBe(title);
  });
});
