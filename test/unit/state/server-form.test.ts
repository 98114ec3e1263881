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
