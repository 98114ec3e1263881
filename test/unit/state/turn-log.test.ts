import { describe, expect, it } from '@jest/globals';
import type { LogLine } from '../../../src/domain/log.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import { FOLLOWING } from '../../../src/domain/log.js';
import {
  ask,
  createReadyMachine,
  found,
  modelOf,
  listed,
  server,
  type Machine,
} from '../../support/machine.js';

const OOM = 'cudaMalloc failed: out of memory';
const CUT = 'truncating input prompt limit=4096 prompt=5120 keep=4 new=4096';
const line = (text: string, source = 'ollama', requestId?: string): LogLine => ({
  at: null,
  level: 'warn',
  source,
  text,
  ...(requestId === undefined ? {} : { requestId }),
});
const logged = (...lines: LogLine[]): AppEvent => ({ type: 'logs.appended', lines, skipped: 0 });
const ended = (turnId: string): AppEvent => ({
  type: 'turn.ended',
  turnId,
  outcome: 'complete',
  reason: 'stop',
  fault: null,
});
const source = (name: string, ...backendIds: string[]): AppEvent => ({
  type: 'logs.source',
  source: name,
  place: `/${name}`,
  asked: false,
  backendIds,
  state: FOLLOWING,
});
const answered = (machine: Machine, text: string): string => {
  const id = ask(machine, text);
  machine.pass(4000).send(ended(id)).pass(60_000);
  return id;
};

describe('the log of one answer', () => {
  it('begins with the question and ends with the answer', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'hello');
    machine.command('turn.log');
    const from = machine.state.chat.live?.askedAt;
    expect(machine.state.logs.turn).toMatchObject({
      turnId: id,
      span: { from, to: null },
      backendId: 'ollama@a',
    });
    expect(machine.state.view.pane).toBe('log');
    machine.pass(8000).send(ended(id));
    expect(machine.state.logs.turn?.span.to).toBe((from ?? 0) + 8000 + 2);
  });

  it('is left by the same key and by Esc, back to where it was, while the answer runs on', () => {
    const machine = createReadyMachine();
    machine.send({ type: 'pane.focused', pane: 'transcript' });
    ask(machine, 'hello');
    machine.send({ type: 'logs.scrolled', line: 3 }).command('log.filter');
    machine.send({ type: 'filter.edited', edit: { op: 'insert', text: 'odd' } }, { type: 'filter.closed' });
    for (const key of ['turn.log', 'escape']) {
      machine.command('turn.log');
      expect(machine.state.logs).toMatchObject({ filter: null, held: null });
      expect(machine.state.logs.turn).not.toBeNull();
      machine.command(key);
      expect(machine.state.logs).toMatchObject({ turn: null, filter: { pattern: 'odd' }, held: 3 });
      expect(machine.state.view.pane).toBe('transcript');
      expect(machine.state.chat.live).not.toBeNull();
    }
    machine.command('escape');
    expect(machine.state.chat.live).toBeNull();
  });

  it('is that of the answer at the top of the transcript, and changes with it', () => {
    const machine = createReadyMachine();
    const [first, second] = [answered(machine, 'one'), answered(machine, 'two')];
    machine.command('turn.log');
    expect(machine.state.logs.turn?.turnId).toBe(second);
    machine.send({ type: 'pane.focused', pane: 'transcript' });
    machine.send({ type: 'transcript.scrolled', anchor: { entryId: `${first}?`, row: 0 } });
    machine.command('turn.log');
    expect(machine.state.logs.turn).toMatchObject({ turnId: first });
    machine.command('turn.log');
    expect(machine.state.view.pane).toBe('message');
    expect(machine.state.logs.turn).toBeNull();
  });

  it('takes the whole screen from a pane that has it, and gives it back', () => {
    const machine = createReadyMachine();
    answered(machine, 'one');
    machine.send({ type: 'pane.focused', pane: 'transcript' }).command('pane.zoom').command('turn.log');
    expect(machine.state.view).toMatchObject({ pane: 'log', zoomed: 'log' });
    machine.command('escape');
    expect(machine.state.view).toMatchObject({ pane: 'transcript', zoomed: 'transcript' });
  });

  it('says so when there is no answer, and ends when the chat is left', () => {
    const machine = createReadyMachine();
    machine.command('turn.log');
    expect(machine.told.at(-1)).toBe('there is no answer yet');
    ask(machine, 'hello');
    machine.command('turn.log').command('chat.new');
    expect(machine.state.logs.turn?.span.to).not.toBeNull();
  });

  it('spans what an answer took that was gone on with', () => {
    const machine = createReadyMachine();
    const id = ask(machine, 'hello');
    machine.send({ type: 'turn.text.delta', turnId: id, text: 'some', pieces: 1 }).pass(1000);
    machine.command('escape');
    const from = machine.state.chat.done.at(-1)?.askedAt ?? 0;
    machine.pass(20_000).command('turn.continue');
    machine.pass(3000).send(ended(id)).command('turn.log');
    expect(machine.state.logs.turn?.span.from).toBe(from);
    expect((machine.state.logs.turn?.span.to ?? 0) - from).toBeGreaterThanOrEqual(24_000);
  });
});

describe('a warning in the log of a server', () => {
  const warned = (machine: Machine) => machine.told.filter((text) => /\(ollama\): |\(other\): /.test(text));

  it('is told with its line and the next step, once of each kind, and kept with the answer', () => {
    const machine = createReadyMachine().send(source('ollama', 'ollama@a'));
    const id = ask(machine, 'hello');
    machine.send(logged(line('fine'), line(CUT)), logged(line(`${CUT} again`), line(OOM)));
    expect(warned(machine)).toEqual([`not all was read (ollama): ${CUT}`, `out of memory (ollama): ${OOM}`]);
    expect(machine.state.notices.at(-1)).toMatchObject({
      level: 'bad',
      hint: expect.stringContaining('Unload'),
    });
    machine.send(ended(id));
    expect(machine.state.chat.done.at(-1)?.logWarnings).toMatchObject([
      { kind: 'cut', source: 'ollama', text: CUT },
      { kind: 'memory', source: 'ollama', text: OOM },
    ]);
    // The next answer is told anew.
    ask(machine.pass(5000), 'again');
    machine.send(logged(line(OOM)));
    expect(machine.state.chat.live?.logWarnings).toHaveLength(1);
  });

  it('counts for an answer that has just ended, and is written with it', () => {
    const machine = createReadyMachine().send(source('ollama', 'ollama@a'));
    const id = ask(machine, 'hello');
    machine.send(ended(id)).pass(900);
    machine.send(logged(line(OOM)));
    expect(machine.state.chat.done.at(-1)?.logWarnings).toHaveLength(1);
    expect(machine.wanted('session.write').at(-1)?.turn.logWarnings).toHaveLength(1);
  });

  it('is none of what no answer is asked of, of other servers, of the past and of our own log', () => {
    const machine = createReadyMachine().send(source('ollama', 'ollama@a'), source('other', 'other@b'));
    machine.send(logged(line(OOM)));
    const id = ask(machine, 'hello');
    machine.send(logged(line(OOM, 'other')), logged(line(OOM, 'lmapp')));
    machine.send({ type: 'logs.appended', lines: [line(OOM)], skipped: 0, past: true });
    machine
      .send(ended(id))
      .pass(60_000)
      .send(logged(line(OOM)));
    expect(warned(machine)).toEqual([]);
    // A file that the user named may be of any server.
    ask(machine, 'again');
    machine.send({ type: 'logs.source', source: 'other', place: '/x', asked: true, state: FOLLOWING });
    machine.send(logged(line(OOM, 'other')));
    expect(warned(machine)).toHaveLength(1);
  });

  it('counts when its log was found after the question was sent, by its own time', () => {
    const machine = createReadyMachine().send(source('ollama', 'ollama@a'));
    ask(machine, 'hello');
    const askedAt = machine.state.chat.live?.askedAt ?? NaN;
    const before = (at: number, text: string): AppEvent => ({
      type: 'logs.appended',
      lines: [{ ...line(text), at }],
      skipped: 0,
      past: true,
    });
    machine.send(before(askedAt - 2000, OOM));
    expect(warned(machine)).toEqual([]);
    machine.send(before(askedAt - 900, CUT), before(askedAt, OOM));
    expect(warned(machine)).toEqual([`not all was read (ollama): ${CUT}`, `out of memory (ollama): ${OOM}`]);
  });

  it('is not told where the answer says it itself', () => {
    const machine = createReadyMachine().send(source('ollama', 'ollama@a'));
    const id = ask(machine, 'hello');
    const fault = { code: 'context-full', message: 'x', hint: null, status: 400 } as const;
    machine.send({ ...ended(id), outcome: 'failed', fault } as AppEvent);
    machine.send(logged(line('request (3031 tokens) exceeds the available context size (512 tokens)')));
    expect(machine.state.chat.done.at(-1)?.logWarnings).toHaveLength(1);
    expect(warned(machine)).toEqual([]);
  });

  it('is none of another request that the server numbers', () => {
    const machine = createReadyMachine().send(source('ollama', 'ollama@a'));
    const id = ask(machine, 'hello');
    machine.send({ type: 'turn.identified', turnId: id, requestId: 'chatcmpl-aaaaaa' });
    machine.send(logged(line(OOM, 'ollama', 'chatcmpl-bbbbbb')));
    expect(warned(machine)).toEqual([]);
    machine.send(logged(line(OOM, 'ollama', 'chatcmpl-aaaaaa')));
    expect(warned(machine)).toHaveLength(1);
  });

  it('is told of a load too, also when its line comes after the load has failed', () => {
    const machine = createReadyMachine().send(source('ollama', 'ollama@a'));
    machine.send(listed('ollama@a', [modelOf('ollama@a', 'small')]), {
      type: 'model.load.started',
      key: 'ollama@a/small',
    });
    expect(machine.state.models.loading.size).toBe(1);
    machine.send(logged(line('load_tensors: offloaded 0/33 layers to GPU')));
    expect(warned(machine)).toEqual([]);
    machine.send(logged(line('load_tensors: offloaded 12/33 layers to GPU')));
    expect(warned(machine)).toHaveLength(1);
    machine.send({
      type: 'model.load.ended',
      key: 'ollama@a/small',
      fault: { code: 'server-error', message: 'x', hint: null, status: 500 },
    });
    expect(machine.state.models.loading.size).toBe(0);
    machine.pass(800).send(logged(line(OOM)), logged(line(OOM)));
    expect(warned(machine)).toHaveLength(2);
  });

  it.each([
    [
      'llama runner process has terminated: CUDA error: out of memory',
      'llama runner process has terminated: CUDA error: out of memory',
    ],
    [
      'a long beginning that says who it was and when and where and nothing else that is of use: the device has run out of memory',
      '…else that is of use: the device has run out of memory',
    ],
    [`a beginning of some length: ${OOM} ${'x'.repeat(50)}`, `…${OOM} ${'x'.repeat(50)}`],
  ])('is shown with what stands before the words that matter when those are its end: %s', (text, shown) => {
    const machine = createReadyMachine().send(source('ollama', 'ollama@a'));
    ask(machine, 'hello');
    machine.send(logged(line(text)));
    expect(warned(machine)).toEqual([`out of memory (ollama): ${shown}`]);
  });

  it('is cut where it is longer than anybody reads', () => {
    const machine = createReadyMachine().send(found(server('other@b')), source('ollama', 'ollama@a'));
    ask(machine, 'hello');
    machine.send(logged(line(`${OOM} ${'x'.repeat(5000)}`)));
    expect(warned(machine)[0]?.length).toBeLessThan(220);
    expect(machine.state.chat.live?.logWarnings[0]?.text).toHaveLength(300);
  });
});
