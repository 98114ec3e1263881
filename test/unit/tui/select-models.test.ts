import { describe, expect, it } from '@jest/globals';
import { UNICODE_GLYPHS } from '../../../widgets/glyphs.js';
import { modelList, type ModelListRow } from '../../../widgets/model-list.js';
import { stringWidth } from '../../../widgets/text/width.js';
import { NO_FEATURES, type Expiry, type Model, type PullProgress } from '../../../src/domain/model.js';
import { modelRows, selectModels } from '../../../src/tui/select-models.js';
import {
  checked,
  createMachine,
  found,
  listed,
  modelOf,
  SAMPLE,
  searched,
  server,
  type Machine,
} from '../../support/machine.js';

const A = 'ollama@a';

function withModels(...models: readonly Model[]): Machine {
  return createMachine().send(
    found(server(A, { features: { ...NO_FEATURES, load: true, unload: true, pull: true } })),
    checked(A),
    listed(A, models),
    searched,
    { type: 'hardware.sampled', sample: SAMPLE },
    { type: 'clock.ticked' },
  );
}
/** The pane as text, 36 or more cells wide. */
function shown(machine: Machine, width = 36): readonly string[] {
  const { rows } = modelList
    .create(UNICODE_GLYPHS)
    .view(selectModels(machine.state, 20), { width, height: 20 });
  return rows.map(({ spans }) =>
    spans
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
}
const rowOf = (machine: Machine): ModelListRow | undefined => modelRows(machine.state)[1];

describe('the tree of models', () => {
  it.each([
    ['embedded', /^ ▾ this machine +no engine \d\d:\d\d$/],
    ['llama.cpp', /not running \d\d:\d\d$/],
  ] as const)('says in its own words that a server of kind %s is away', (kind, row) => {
    const fault = { code: 'not-running', message: 'x', hint: null, status: null } as const;
    const machine = createMachine().send(found(server('b', { kind, title: 'this machine', url: '' })), {
      type: 'backend.checked',
      backendId: 'b',
      check: { status: { state: 'away', sinceMs: 1, fault }, version: null, processing: null, queued: null },
    });
    expect(shown(machine)[0]).toMatch(row);
  });

  it('is cut to what the pane shows, wherever the cursor stands, and no model elsewhere is looked at', () => {
    const looked = new Set<string>();
    const models = Array.from({ length: 60 }, (_, i) => {
      const model = modelOf(A, `m${i}`);
      Object.defineProperty(model, 'parameters', { get: () => (looked.add(model.key), '7B') });
      return model;
    });
    const machine = withModels(...models);
    machine.send(
      found(server('vllm@b', { kind: 'vllm', features: NO_FEATURES })),
      checked('vllm@b'),
      listed('vllm@b', [modelOf('vllm@b', 'last')]),
    );
    const whole = modelRows(machine.state);
    expect(whole.map(({ key }) => key)).toEqual([
      A,
      ...models.map(({ key }) => key),
      'vllm@b',
      'vllm@b/last',
    ]);
    for (const [index, { key }] of whole.entries()) {
      machine.send({ type: 'pane.selected', pane: 'models', key });
      looked.clear();
      const { rows, selected } = selectModels(machine.state, 9);
      expect(selected).toBe(key);
      const top = Math.max(0, Math.min(whole.length - 9, index - 4));
      expect(rows.map((row) => row.key)).toEqual(whole.slice(top, top + 9).map((row) => row.key));
      expect([...looked]).toEqual(rows.flatMap((row) => (looked.has(row.key) ? [row.key] : [])));
      expect(looked.size).toBeLessThanOrEqual(9);
    }
  });

  it('case 73: says under a server without models how one gets there', () => {
    expect(shown(withModels())[1]).toBe('    no models: p pulls one by its n…');
    const machine = createMachine().send(
      found(server('vllm@b', { kind: 'vllm', features: NO_FEATURES })),
      checked('vllm@b'),
    );
    // It has not told its list yet.
    expect(shown(machine)).toHaveLength(1);
    machine.send(listed('vllm@b', []));
    expect(shown(machine, 70)[1]).toContain('no models: Start it with the model: vllm serve');
    // Its list is of those that run.
    const jan = createMachine().send(
      found(server('jan@j', { kind: 'jan', features: NO_FEATURES })),
      checked('jan@j'),
      listed('jan@j', []),
    );
    expect(shown(jan, 70)[1]).toContain('no models: Start one in the window of Jan');
    expect(modelRows(machine.state).map(({ key }) => key)).toEqual(['vllm@b', 'vllm@b']);
  });

  it('says under a server that answers, and does not list its models, why; once as a notice, until it lists them', () => {
    const fault = {
      code: 'server-error',
      message: 'database is locked.',
      hint: 'Look.',
      status: 500,
    } as const;
    const failed = { type: 'models.failed', backendId: 'vllm@b', fault } as const;
    const machine = createMachine().send(
      found(server('vllm@b', { kind: 'vllm' })),
      checked('vllm@b'),
      failed,
      failed,
    );
    expect(shown(machine, 70)[1]).toContain('no list: database is locked.');
    expect(
      machine.told.filter((text) => /does not list its models: database is locked/.test(text)),
    ).toHaveLength(1);
    machine.send(listed('vllm@b', [modelOf('vllm@b', 'm')]));
    expect(shown(machine, 70).join()).not.toContain('no list');
    expect(machine.state.notices.find(({ text }) => /database is locked/.test(text))?.over).toBe(true);
    machine.send(failed);
    // What it listed before stays.
    expect(shown(machine, 70)[1]).toContain(' m ');
  });

  it.each([
    'hf.co/bartowski/Qwen3-8B-GGUF:Q4_K_M',
    '模型模型模型模型模型模型模型模型模型:latest',
    'Llama 3 8B Instruct With A Long Name',
  ])('case 75: shortens %s in the middle', (name) => {
    const row = shown(withModels(modelOf(A, name)))[1] ?? '';
    expect(row).toContain('…');
    expect(row).toContain(name.slice(0, 3));
    expect(stringWidth(row)).toBeLessThanOrEqual(36);
    expect(row).toMatch(/1\.0 GB +fits/);
  });

  it.each([
    [1.1e9, '-692 MB'],
    [2.9e9, '-3 GB'],
  ])('says how much of a model of %s bytes does not fit, never that it is nothing', (sizeBytes, missing) => {
    const machine = withModels(modelOf(A, 'large', { sizeBytes, loadState: 'unloaded' }));
    machine.send({
      type: 'hardware.sampled',
      sample: { ...SAMPLE, memoryTotalBytes: 2e9, memoryUsedBytes: 1e9 },
    });
    expect(shown(machine)[1]?.trimEnd().endsWith(missing)).toBe(true);
  });

  it('case 79: shows what was not told as —, never as 0', () => {
    const bare = modelOf(A, 'bare', { sizeBytes: null });
    expect(shown(withModels(bare))[1]).toMatch(/bare +— +\?$/);
    const wide = shown(withModels(bare), 130)[1] ?? '';
    expect(wide.match(/—/g)).toHaveLength(6);
    expect(wide).not.toMatch(/NaN|\b0\b/);
  });

  it.each<[string, Expiry, RegExp]>([
    ['never', 'never', /stays$/],
    ['in use', 'in-use', /in use$/],
    ['a past time', { at: 1 }, /expires$/],
    ['a time', { at: 1_700_000_000_000 + 241_000 }, /\dm \d\ds$/],
    ['nothing told', null, / 8k ctx$/],
  ])('case 80: says how long a loaded model stays: %s', (_title, expiry, note) => {
    const model = modelOf(A, 'm', { loadState: 'loaded', expiry, contextAllocated: 8192 });
    expect(shown(withModels(model))[1]).toMatch(note);
  });

  it('has what decides beside the name when there is room', () => {
    const model = modelOf(A, 'qwen3:8b', {
      parameters: '8.2B',
      quantization: 'Q4_K_M',
      contextMax: 40_960,
      family: 'qwen3',
      capabilities: ['completion', 'tools', 'thinking'],
    });
    expect(shown(withModels(model), 78)[1]).toMatch(/qwen3:8b +8\.2B +Q4_K_M +40k +1\.0 GB +fits\?$/);
    expect(shown(withModels(model), 130)[1]).toMatch(
      /40k +qwen3 +completion tools thinking +1\.0 GB +fits\?$/,
    );
  });

  it('tells how far a load is, and what is being unloaded or deleted', () => {
    const machine = withModels(modelOf(A, 'm')).send(
      { type: 'model.load.started', key: `${A}/m` },
      { type: 'model.load.progressed', key: `${A}/m`, progress: 0.43, source: '/models/sse' },
    );
    expect(shown(machine)[1]).toMatch(/1\.0 GB +43 %$/);
    machine.send(
      { type: 'model.load.ended', key: `${A}/m`, fault: null },
      { type: 'model.unload.started', key: `${A}/m` },
    );
    expect(shown(machine)[1]).toMatch(/unload$/);
    machine.command('model.delete-anyway', `${A}/m`);
    expect(shown(machine)[1]).toMatch(/delete$/);
    expect(rowOf(machine)).toMatchObject({ kind: 'model', loaded: false });
  });
});

describe('a pull in the tree', () => {
  const progress = (change: Partial<PullProgress>): PullProgress => ({
    phase: 'downloading',
    status: '',
    completedBytes: 0,
    totalBytes: 9_100_000_000,
    layers: [],
    ...change,
  });
  const pulling = (): { machine: Machine; id: string } => {
    const machine = withModels(modelOf(A, 'm')).command('model.pull-name', `${A}/qwen3:14b`);
    return { machine, id: machine.state.models.pulls[0]?.id ?? '' };
  };

  it('has its per cent, time left, bar and speed', () => {
    const { machine, id } = pulling();
    expect(shown(machine)[2]).toMatch(/↓ qwen3:14b +asking 0s$/);
    for (const seconds of [0, 1, 2, 3, 4])
      machine
        .send({
          type: 'pull.progressed',
          pullId: id,
          progress: progress({ completedBytes: 3.9e9 + seconds * 12e6 }),
        })
        .pass(999);
    const [, , head = '', bar = ''] = shown(machine);
    expect(head).toMatch(/↓ qwen3:14b +43 % +7m \d\ds$/);
    expect(bar).toMatch(/^ {4}▕█+.? +▏ +12 MB\/s$/);
    expect(shown(machine, 78)[3]).toMatch(/3\.9 \/ 9\.1 GB +12 MB\/s$/);
    // The bar and the name are one row to the cursor.
    expect(
      new Set(
        modelRows(machine.state)
          .slice(2)
          .map(({ key }) => key),
      ),
    ).toEqual(new Set([id]));
  });

  it('case 86: says for how long it is verified already, and what can be done when it stopped', () => {
    const { machine, id } = pulling();
    machine.send({ type: 'pull.progressed', pullId: id, progress: progress({ completedBytes: 9.1e9 }) });
    machine.send({
      type: 'pull.progressed',
      pullId: id,
      progress: progress({ phase: 'verifying', completedBytes: 9.1e9 }),
    });
    machine.pass(240_000).send({ type: 'clock.ticked' });
    expect(shown(machine)[2]).toMatch(/verifying 4m 00s$/);
    machine.send({ type: 'pull.progressed', pullId: id, progress: progress({ completedBytes: 4.55e9 }) });
    machine.send({ type: 'pull.ended', pullId: id, fault: null, cancelled: true });
    expect(shown(machine).slice(2)).toEqual([
      expect.stringMatching(/↓ qwen3:14b +stopped 50 %$/),
      '    Enter goes on, x removes it',
    ]);
  });
});
