import { describe, expect, it } from '@jest/globals';
import type { ServerOrigin } from '../../../src/domain/model.js';
import { createMachine, found, lost, modelOf, listed, server, searched } from '../../support/machine.js';

const HERE = server('ollama@a');

describe('x on a server', () => {
  const withOrigin = (origin: ServerOrigin) =>
    createMachine().send({ ...found(HERE), origin } as ReturnType<typeof found>, searched);

  it('asks before it takes it out of the configuration; the first answer leaves it', () => {
    const machine = withOrigin('configuration').command('row.delete', HERE.id);
    const question = machine.state.view.overlays.at(-1)?.question;
    expect(question?.choices.map((c) => c.event !== null)).toEqual([false, true]);
    machine.send({ type: 'question.answered', choice: 0 });
    expect(machine.wanted('event.publish')).toEqual([]);
    machine.command('row.delete', HERE.id).send({ type: 'question.answered', choice: 1 });
    const chosen = machine.wanted('event.publish')[0]?.event;
    expect(chosen).toEqual({ type: 'command.invoked', command: 'server.remove', argument: HERE.id });
    if (chosen) machine.send(chosen);
    expect(machine.wanted('server.remove')).toEqual([{ type: 'server.remove', backendId: HERE.id }]);
  });

  it.each([
    ['run', 'was named for this run'],
    ['environment', 'is named by OLLAMA_HOST'],
    ['found', 'was found on this machine'],
    ['mock', 'is there for this run'],
  ] as const)('that does not stand there (%s) says where it comes from', (origin, why) => {
    const machine = withOrigin(origin).command('row.delete', HERE.id);
    expect(machine.state.view.overlays).toEqual([]);
    expect(machine.told.at(-1)).toContain(why);
    expect(machine.state.notices.at(-1)?.hint).not.toBeNull();
  });

  it('of an earlier record without an origin counts as named for the run, or as found', () => {
    const machine = createMachine().send(found(HERE, 0, true), found(server('llama.cpp@b'), 1, false));
    expect(machine.state.models.backends.map((b) => b.origin)).toEqual(['run', 'found']);
  });
});

describe('the form of a new server', () => {
  const PROBED = {
    type: 'server.probed',
    address: 'h',
    url: 'http://h:8080',
    kind: 'openai',
    named: false,
    version: null,
    models: 2,
    fault: null,
  } as const;
  const DENIED = { code: 'unauthorized', message: 'No.', hint: null, status: 401 } as const;
  const typed = (text: string) =>
    createMachine()
      .command('server.add')
      .send({ type: 'overlay.edited', edit: { op: 'insert', text } });
  const form = (machine: ReturnType<typeof createMachine>) => machine.state.view.overlays.at(-1)?.form;

  it('asks nobody for an empty address, and once for one', () => {
    expect(typed(' ').command('server.submit').wanted('server.probe')).toEqual([]);
    const machine = typed('h').command('server.submit').command('server.submit');
    expect(machine.wanted('server.probe')).toEqual([{ type: 'server.probe', address: 'h', key: null }]);
  });

  it('takes the answer for the address that was asked, and none that comes too late', () => {
    const machine = typed('h')
      .command('server.submit')
      .send({ ...PROBED, address: 'other' });
    expect(form(machine)?.step).toBe('probing');
    expect(form(machine.send(PROBED))?.step).toBe('result');
    const left = typed('h').command('server.submit').command('escape').send(PROBED);
    expect(form(left)?.step).toBe('address');
    expect(left.command('escape').state.view.overlays).toEqual([]);
  });

  it('asks for a key when one is wanted, and asks with it, without the break that was pasted with it', () => {
    const machine = typed('h')
      .command('server.submit')
      .send({ ...PROBED, fault: DENIED });
    expect(form(machine)?.step).toBe('key');
    machine.send({ type: 'secret.edited', edit: { op: 'paste', text: 'k-1 ' } }).command('server.submit');
    expect(machine.wanted('server.probe').at(-1)).toEqual({ type: 'server.probe', address: 'h', key: 'k-1' });
    machine.send(PROBED).command('server.submit');
    expect(machine.wanted('server.save')).toEqual([
      { type: 'server.save', url: 'http://h:8080', kind: null, detected: 'openai', key: 'k-1' },
    ]);
    expect(machine.state.view.overlays).toEqual([]);
  });

  it('drops the key when the address is changed', () => {
    const machine = typed('h')
      .command('server.submit')
      .send({ ...PROBED, fault: DENIED });
    machine.send({ type: 'secret.edited', edit: { op: 'insert', text: 'k' } }).command('escape');
    machine.send({ type: 'overlay.edited', edit: { op: 'insert', text: '2' } }).command('server.submit');
    expect(machine.wanted('server.probe').at(-1)).toEqual({ type: 'server.probe', address: 'h2', key: null });
    expect(form(machine)?.key.text).toBe('');
  });
});

describe('a server that is away', () => {
  it('stays in the list, even one that was only found, with reason, since when and the next question', () => {
    const machine = createMachine().send(found(HERE, 0, false), listed(HERE.id, [modelOf(HERE.id, 'm')]));
    machine.send({ ...lost(HERE.id), nextTryMs: 99 } as ReturnType<typeof lost>);
    const since = machine.state.at;
    machine.pass(5000).send({ ...lost(HERE.id), nextTryMs: 104 } as ReturnType<typeof lost>);
    const entry = machine.state.models.backends[0];
    expect(entry?.check.status).toMatchObject({ state: 'away', fault: { hint: 'Start it.' } });
    expect(entry?.check.status.state === 'away' && entry.check.status.sinceMs).toBeLessThan(since + 5000);
    expect(entry?.nextTryMs).toBe(104);
    const bare = createMachine().send(found(HERE, 0, false), lost(HERE.id));
    expect(bare.state.models.backends).toHaveLength(1);
  });
});
