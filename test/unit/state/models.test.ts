import { describe, expect, it } from '@jest/globals';
import type { Settings } from '../../../src/domain/settings.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import {
  checked,
  createMachine,
  found,
  listed,
  lost,
  modelOf,
  SAMPLE,
  searched,
  server,
  type Machine,
} from '../../support/machine.js';

const A = 'ollama@a';
const B = 'llama.cpp@b';
const HUGE = modelOf(A, 'huge', { sizeBytes: 400e9 });

function twoServers(settings: Partial<Settings> = {}): Machine {
  return createMachine(settings).send(
    found(server(B), 300, false),
    found(server(A), 0),
    checked(A),
    checked(B),
  );
}

describe('the model at start', () => {
  it('is the first that can chat, of the servers that were named first', () => {
    const machine = twoServers();
    machine.send(listed(B, [modelOf(B, 'other')]));
    expect(machine.state.models.selected).toBe(`${B}/other`);
    machine.send(listed(A, [modelOf(A, 'embed', { chat: false }), modelOf(A, 'small')]));
    expect(machine.state.models.selected).toBe(`${A}/small`);
  });

  it('has the cursor of the list, until that is moved', () => {
    const machine = twoServers();
    machine.send(listed(B, [modelOf(B, 'other')]), listed(A, [modelOf(A, 'small')]));
    expect(machine.state.models.cursor).toBe(`${A}/small`);
    const moved = twoServers().send(listed(B, [modelOf(B, 'other'), modelOf(B, 'another')]));
    moved.send({ type: 'pane.selected', pane: 'models', key: `${B}/another` });
    moved.send(listed(A, [modelOf(A, 'small')]));
    expect(moved.state.models.cursor).toBe(`${B}/another`);
  });

  it('is the kept one, wherever it is', () => {
    const machine = twoServers();
    machine.send(
      { type: 'model.remembered', key: `${B}/kept` },
      listed(A, [modelOf(A, 'small')]),
      listed(B, [modelOf(B, 'first'), modelOf(B, 'kept')]),
    );
    expect(machine.state.models.selected).toBe(`${B}/kept`);
  });

  it('is the one asked for, by name, label, name without tag or kind/name', () => {
    for (const model of ['big:latest', 'big', 'BIG', `ollama/big:latest`, `${A}/big:latest`]) {
      const machine = twoServers({ model });
      machine.send(listed(B, [modelOf(B, 'other')]), searched);
      machine.send(listed(A, [modelOf(A, 'small'), modelOf(A, 'big:latest', { label: 'big' })]));
      expect([model, machine.state.models.selected]).toEqual([model, `${A}/big:latest`]);
      expect(machine.told).toEqual([]);
    }
  });

  it('that nobody has is told once with the nearest names, when all servers have told theirs', () => {
    const machine = twoServers({ model: 'smal' });
    machine.send(searched, listed(A, [modelOf(A, 'small')]));
    expect(machine.told).toEqual([]);
    machine.send(listed(B, [modelOf(B, 'other')]), listed(B, [modelOf(B, 'other')]), checked(B));
    expect(machine.state.notices.map(({ text, hint }) => [text, hint])).toEqual([
      ['no server has the model smal', 'Did you mean small? Ctrl+O lists all.'],
    ]);
    expect(machine.state.models.selected).toBe(`${A}/small`);
  });

  it('does not wait for a server that is away', () => {
    const machine = twoServers({ model: 'nowhere' });
    machine.send(searched, listed(A, [modelOf(A, 'small')]), lost(B));
    expect(machine.told).toEqual(['no server has the model nowhere']);
  });

  it('stays the choice of the user when better ones come', () => {
    const machine = twoServers();
    machine.send(listed(B, [modelOf(B, 'other')])).command('model.use', `${B}/other`);
    machine.send(listed(A, [modelOf(A, 'small')]));
    expect(machine.state.models.selected).toBe(`${B}/other`);
    expect(machine.wanted('model.remember')).toEqual([{ type: 'model.remember', key: `${B}/other` }]);
  });

  it('that is gone is followed by one of the same server', () => {
    const machine = twoServers();
    machine
      .send(listed(A, [modelOf(A, 'one'), modelOf(A, 'two')]), listed(B, [modelOf(B, 'other')]))
      .command('model.use', `${B}/other`);
    machine.send(listed(B, [modelOf(B, 'renamed')]));
    expect(machine.state.models.selected).toBe(`${B}/renamed`);
  });
});

describe('the list of models', () => {
  it('from the disk is shown until the server has told its own, and never after', () => {
    const machine = twoServers();
    machine.send(listed(A, [modelOf(A, 'old')], true));
    expect(machine.state.models.backends[0]).toMatchObject({ cached: true, models: [{ name: 'old' }] });
    machine.send(listed(A, [modelOf(A, 'new')]), listed(A, [modelOf(A, 'old')], true));
    expect(machine.state.models.backends[0]).toMatchObject({ cached: false, models: [{ name: 'new' }] });
    expect(machine.told).toEqual([]);
  });

  it('that changed is told once, what came and what went, and kept on the disk', () => {
    const machine = twoServers();
    machine.send(listed(A, [modelOf(A, 'one'), modelOf(A, 'two')]));
    machine.send(
      listed(A, [modelOf(A, 'two'), modelOf(A, 'three')]),
      listed(A, [modelOf(A, 'two'), modelOf(A, 'three')]),
    );
    expect(machine.told).toEqual(['ollama: new three', 'ollama: one gone']);
    expect(machine.wanted('models.cache')).toHaveLength(2);
  });

  it('that says the same as before is left as it is', () => {
    const machine = twoServers();
    machine.send(listed(A, [modelOf(A, 'one', { capabilities: ['completion'] })]));
    const { backends } = machine.state.models;
    machine.send(listed(A, [modelOf(A, 'one', { capabilities: ['completion'] })]));
    expect(machine.state.models.backends).toBe(backends);
    machine.send(listed(A, [modelOf(A, 'one', { capabilities: ['completion', 'tools'] })]));
    expect(machine.state.models.backends).not.toBe(backends);
  });

  it('is in the order of rank', () => {
    expect(twoServers().state.models.backends.map((b) => b.info.id)).toEqual([A, B]);
  });
});

describe('a server', () => {
  it('stays when it is away, one that was only found, too', () => {
    const machine = twoServers();
    machine.send(lost(A), lost(B));
    expect(machine.state.models.backends.map((b) => [b.info.id, b.check.status.state])).toEqual([
      [A, 'away'],
      [B, 'away'],
    ]);
  });

  it('that is away is away since the first time, and what it has loaded is not known', () => {
    const machine = twoServers();
    machine.send(listed(A, [modelOf(A, 'one', { loadState: 'loaded', expiry: 'never' })]), lost(A));
    const status = (): unknown => machine.state.models.backends[0]?.check.status;
    const first = status();
    machine.pass(5000).send(lost(A));
    expect(status()).toMatchObject({ state: 'away', sinceMs: (first as { sinceMs: number }).sinceMs });
    expect(machine.state.models.backends[0]?.models[0]).toMatchObject({ loadState: 'unknown', expiry: null });
  });

  it('that comes back is told once', () => {
    const machine = twoServers();
    machine.send(lost(A), checked(A), checked(A));
    expect(machine.told.filter((t) => t === 'ollama is back')).toHaveLength(1);
  });

  it('that comes back takes its bad news off the panes, not out of the list, and leaves those of others', () => {
    const machine = twoServers();
    const away = (backendId: string): AppEvent => ({
      type: 'backend.checked',
      backendId,
      check: {
        status: {
          state: 'away',
          sinceMs: 1,
          fault: { code: 'not-running', message: `${backendId} is not running`, hint: null, status: null },
        },
        version: null,
        processing: null,
        queued: null,
      },
    });
    const fresh = (): readonly string[] =>
      machine.state.notices.filter(({ over }) => !over).map(({ text }) => text);
    machine.send(away(A), away(B));
    expect(fresh()).toEqual([`${A} is not running`, `${B} is not running`]);
    machine.send(checked(A, 'loading'));
    expect(fresh()).toEqual([`${B} is not running`]);
    expect(machine.told).toEqual([`${A} is not running`, `${B} is not running`]);
    machine.send(away(A));
    expect(fresh()).toContain(`${A} is not running`);
    machine.send({ type: 'backend.removed', backendId: B }, checked(A));
    expect(fresh()).toEqual(['ollama is back']);
  });
});

describe('preload', () => {
  const ready = (settings: Partial<Settings>, loadState: 'loaded' | 'unloaded', sizeBytes = 1e9): Machine => {
    const machine = createMachine(settings).send(found(server(A)), checked(A), {
      type: 'hardware.sampled',
      sample: SAMPLE,
    });
    return machine.send(
      listed(A, [modelOf(A, 'm', { loadState, sizeBytes })], true),
      listed(A, [modelOf(A, 'm', { loadState, sizeBytes })]),
      searched,
    );
  };

  it('loads the chosen model once, when its server has confirmed it', () => {
    expect(ready({ preload: true }, 'unloaded').wanted('model.load')).toEqual([
      { type: 'model.load', key: `${A}/m`, pin: false, contextTokens: null },
    ]);
    expect(ready({ preload: false }, 'unloaded').wanted('model.load')).toEqual([]);
    expect(ready({ preload: true }, 'loaded').wanted('model.load')).toEqual([]);
  });

  it('does not load what is larger than the free memory, and says so', () => {
    const machine = ready({ preload: true }, 'unloaded', 400e9);
    expect(machine.wanted('model.load')).toEqual([]);
    expect(machine.told.join()).toContain('was not preloaded');
  });
});

describe('loading', () => {
  const loaded = (): Machine =>
    createMachine().send(
      found(server(A)),
      checked(A),
      { type: 'hardware.sampled', sample: SAMPLE },
      listed(A, [modelOf(A, 'm'), HUGE]),
      searched,
    );

  it('is asked once for what is larger than the free memory; anyway does it', () => {
    const machine = loaded().command('model.load', HUGE.key);
    expect(machine.wanted('model.load')).toEqual([]);
    const question = machine.state.view.overlays.at(-1)?.question;
    expect(question?.lines[0]).toBe('huge needs about 421 GB, free are 8.0 GB.');
    // The first choice never does anything.
    expect(question?.choices[0]?.event).toBeNull();
    machine.send({ type: 'question.answered', choice: 1 });
    const event = machine.wanted('event.publish')[0]?.event;
    expect(event).toMatchObject({ type: 'command.invoked', command: 'load.anyway' });
    if (event) machine.send(event);
    expect(machine.wanted('model.load')).toEqual([
      { type: 'model.load', key: HUGE.key, pin: false, contextTokens: null },
    ]);
  });

  it('is not begun twice, and its failure is told with the next step', () => {
    const machine = loaded()
      .command('model.load', `${A}/m`)
      .send({ type: 'model.detailed', key: `${A}/m`, details: null, fault: null })
      .send({ type: 'model.load.started', key: `${A}/m` })
      .command('model.load', `${A}/m`);
    expect(machine.wanted('model.load')).toHaveLength(1);
    expect(machine.told).toEqual(['m is being loaded already']);
    machine.send({
      type: 'model.load.ended',
      key: `${A}/m`,
      fault: { code: 'out-of-memory', message: 'no memory', hint: 'Unload another.', status: 500 },
    });
    expect(machine.state.models.loading.size).toBe(0);
    expect(machine.state.notices.at(-1)).toMatchObject({
      text: 'could not load m: no memory',
      hint: 'Unload another.',
    });
  });
});

describe('the tree', () => {
  it('folds a server with the same key that uses a model', () => {
    const machine = twoServers();
    machine.send(
      listed(A, [modelOf(A, 'one')]),
      { type: 'pane.focused', pane: 'models' },
      { type: 'pane.selected', pane: 'models', key: A },
    );
    machine.command('model.use');
    expect([...machine.state.models.folded]).toEqual([A]);
    machine.command('model.use');
    expect([...machine.state.models.folded]).toEqual([]);
  });
});
