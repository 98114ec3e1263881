import { describe, expect, it } from '@jest/globals';
import { NO_FEATURES, type Model, type ModelDetails } from '../../../src/domain/model.js';
import { shapeOfShow } from '../../../src/domain/read-shape.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import { fitOfModel } from '../../../src/state/fit.js';
import { modelByKey } from '../../../src/state/state.js';
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
import { llama32Show } from '../../support/show-answers.js';

const A = 'ollama@a';
const B = 'llama.cpp@b';
const FEATURES = {
  ...NO_FEATURES,
  load: true,
  unload: true,
  contextSize: true,
  contextChoice: true,
  pin: true,
};
const MODEL = modelOf(A, 'm', {
  digest: 'd1',
  sizeBytes: 2.02e9,
  contextMax: 131072,
  family: 'llama',
  parameters: '3.2B',
});

/** A server with models, and a machine with 8 GB free. */
function machineWith(models: readonly Model[], evicts = false): Machine {
  return createMachine().send(
    found(server(A, { features: { ...FEATURES, evicts } })),
    found(server(B, { kind: 'llama.cpp', url: 'http://127.0.0.1:8080', features: FEATURES })),
    checked(A),
    checked(B),
    { type: 'hardware.sampled', sample: SAMPLE },
    listed(A, models),
    searched,
  );
}

const tick = { type: 'clock.ticked' } as const;
const detailed = (model: Model, details: ModelDetails | null = DETAILS): AppEvent => ({
  type: 'model.detailed',
  key: model.key,
  details,
  fault: null,
});
const DETAILS = detailsOf();

describe('the shapes of the models on the screen', () => {
  const three = ['d1', 'd2', 'd3'].map((digest) => modelOf(A, digest, { digest }));

  it('are asked for one at a time, that under the cursor first, then the selected and loaded ones', () => {
    const [first, second, third] = three as [Model, Model, Model];
    const machine = machineWith([first, second, { ...third, loadState: 'loaded' }]);
    machine.send({ type: 'pane.selected', pane: 'models', key: second.key }, tick, tick, tick);
    expect(machine.wanted('model.details').map(({ key }) => key)).toEqual([second.key]);
    machine.send(detailed(second), tick, detailed(first), tick, detailed(third), tick, tick);
    expect(machine.wanted('model.details').map(({ key }) => key)).toEqual([second.key, first.key, third.key]);
  });

  it('is asked for under the cursor also where there are more models than are asked about', () => {
    const many = Array.from({ length: 62 }, (_, i) => modelOf(A, `m${i}`, { digest: `d${i}` }));
    const last = many.at(-1) as Model;
    const machine = machineWith(many);
    for (const _ of many) {
      machine.send(tick);
      const asked = many.find(({ key }) => key === machine.wanted('model.details').at(-1)?.key);
      if (asked) machine.send(detailed(asked));
    }
    expect(machine.wanted('model.details')).toHaveLength(60);
    machine.send({ type: 'pane.selected', pane: 'models', key: last.key }, tick);
    expect(machine.wanted('model.details').at(-1)?.key).toBe(last.key);
  });

  it('are not asked for again when the server could not tell, nor of servers whose machine nobody knows', () => {
    const machine = machineWith([MODEL]).send(tick, detailed(MODEL, null), tick, tick);
    expect(machine.wanted('model.details')).toHaveLength(1);
    const far = createMachine().send(
      found(server(A, { url: 'http://gpu-box:11434' })),
      checked(A),
      listed(A, [MODEL]),
      searched,
      tick,
    );
    expect(far.wanted('model.details')).toEqual([]);
  });
});

describe('a load that will not fit', () => {
  const withMuch = (): AppEvent => ({ type: 'app.started', ...STARTED, settings: withContext(65536) });

  it('is asked about with its parts and a smaller context that fits, which is kept for later requests', () => {
    const machine = machineWith([MODEL]).send({
      type: 'app.started',
      ...STARTED,
      settings: withContext(65536),
    });
    machine.send(detailed(MODEL)).command('model.load', MODEL.key);
    expect(machine.wanted('model.load')).toEqual([]);
    const question = machine.state.view.overlays.at(-1)?.question;
    expect(question?.lines[0]).toMatch(/^m needs about \d+\.\d GB, free are 8\.0 GB\.$/);
    expect(question?.lines[1]).toMatch(
      /65,536 tokens \(chosen\): weights 2\.0 GB, keys and values 7\.5 GB, buffers/,
    );
    answer(machine, 'c');
    const [load] = machine.wanted('model.load');
    const tokens = load?.contextTokens ?? NaN;
    expect(tokens % 1024).toBe(0);
    expect(tokens).toBeLessThan(65536);
    expect(machine.wanted('settings.save')).toEqual([
      { type: 'settings.save', key: `contexts.${MODEL.key}`, value: tokens },
    ]);
    expect(verdictOf(machine, MODEL)).toBe('fits');
  });

  it('waits for what the server tells of the model, and asks with it', () => {
    const machine = machineWith([MODEL]).send(withMuch()).command('model.load', MODEL.key);
    expect(machine.wanted('model.details').map(({ key }) => key)).toEqual([MODEL.key]);
    machine.command('model.load', MODEL.key);
    expect(machine.wanted('model.load')).toEqual([]);
    machine.send(detailed(MODEL));
    expect(machine.state.view.overlays.at(-1)?.question?.lines[1]).toMatch(/keys and values 7\.5 GB/);
    answer(machine, 'y');
    expect(machine.wanted('model.load')).toEqual([
      { type: 'model.load', key: MODEL.key, pin: false, contextTokens: 65536 },
    ]);
  });

  it.each([
    ['a server that has no more to tell', (machine: Machine) => machine.send(detailed(MODEL, null))],
    ['a server that does not answer', (machine: Machine) => machine.send(tick).pass(2000).send(tick)],
  ])('is begun for %s', (_, happens) => {
    const machine = machineWith([MODEL]).send(withMuch()).command('model.pin', MODEL.key);
    expect(machine.wanted('model.load')).toEqual([]);
    happens(machine);
    expect(machine.wanted('model.load')).toMatchObject([{ key: MODEL.key, pin: true }]);
    machine.send(detailed(MODEL), tick);
    expect(machine.wanted('model.load')).toHaveLength(1);
    expect(machine.state.view.overlays).toEqual([]);
  });

  it('can take another quantization of the same model that fits', () => {
    const large = {
      ...MODEL,
      key: `${A}/m:3b-fp16`,
      name: 'm:3b-fp16',
      label: 'm:3b-fp16',
      digest: 'd9',
      sizeBytes: 40e9,
      quantization: 'F16',
    };
    const small = { ...MODEL, quantization: 'Q4_K_M' };
    const machine = machineWith([large, small]).command('model.load', large.key);
    expect(labels(machine)).toContain('m instead, which fits (Q4_K_M)');
    answer(machine, 'q');
    expect(machine.wanted('model.load').map(({ key }) => key)).toEqual([small.key]);
  });

  it.each([
    ['m-Instruct-Q8_0.gguf', 'm-Instruct-UD-Q4_K_XL.gguf', true],
    ['m:3b-instruct-q8_0', 'm', true],
    ['m:3b-instruct-q8_0', 'm-coder:3b', false],
    ['m-Instruct.F16.gguf', 'm-Coder.Q4_K_M.gguf', false],
  ])('instead of %s is offered %s: %s', (name, other, offered) => {
    const large = { ...MODEL, key: `${A}/1`, name, digest: 'd9', sizeBytes: 40e9, quantization: 'Q8_0' };
    const small = { ...MODEL, key: `${A}/2`, name: other, quantization: 'Q4_K_M' };
    const machine = machineWith([large, small]).command('model.load', large.key);
    expect(labels(machine).some((label) => label.includes('instead'))).toBe(offered);
  });

  it('can unload a model of another server first, and goes on when that has ended', () => {
    const other = modelOf(B, 'other', {
      loadState: 'loaded',
      sizeBytes: 1e9,
      memoryBytes: 7e9,
      vramBytes: 0,
    });
    const large = { ...MODEL, sizeBytes: 10e9 };
    const machine = machineWith([large])
      .send(listed(B, [other]))
      .command('model.load', large.key);
    expect(labels(machine)).toContain('unload other first (gives back 6.0 GB)');
    answer(machine, 'u');
    expect(machine.wanted('model.unload')).toEqual([{ type: 'model.unload', key: other.key }]);
    expect(machine.wanted('model.load')).toEqual([]);
    machine.send({ type: 'model.unload.ended', key: other.key, fault: null });
    publishWanted(machine);
    expect(machine.wanted('model.load').map(({ key }) => key)).toEqual([large.key]);
  });

  it('is not begun when the other model could not be unloaded', () => {
    const other = modelOf(B, 'other', {
      loadState: 'loaded',
      sizeBytes: 1e9,
      memoryBytes: 7e9,
      vramBytes: 0,
    });
    const machine = machineWith([{ ...MODEL, sizeBytes: 10e9 }])
      .send(listed(B, [other]))
      .command('model.load', MODEL.key);
    answer(machine, 'u');
    const fault = { code: 'busy', message: 'in use', hint: null, status: null } as const;
    machine.send({ type: 'model.unload.ended', key: other.key, fault });
    publishWanted(machine);
    expect(machine.wanted('model.load')).toEqual([]);
  });

  it('does not ask where the server itself unloads what is in the way', () => {
    const other = modelOf(A, 'other', {
      loadState: 'loaded',
      sizeBytes: 1e9,
      memoryBytes: 7e9,
      vramBytes: 0,
    });
    const machine = machineWith([{ ...MODEL, sizeBytes: 10e9 }, other], true)
      .command('model.load', MODEL.key)
      .send(detailed(MODEL, null));
    expect(machine.state.view.overlays).toEqual([]);
    expect(machine.wanted('model.load')).toHaveLength(1);
  });

  it('does not ask while the memory or the size is unknown', () => {
    const machine = createMachine().send(
      found(server(A)),
      checked(A),
      listed(A, [{ ...MODEL, sizeBytes: 900e9 }]),
      searched,
    );
    machine.command('model.load', MODEL.key);
    expect(machine.wanted('model.load')).toHaveLength(1);
    const unsized = machineWith([{ ...MODEL, sizeBytes: null }]).command('model.load', MODEL.key);
    expect(unsized.wanted('model.load')).toHaveLength(1);
  });

  it('for a message asks the same, and the message goes to what is chosen', () => {
    const large = {
      ...MODEL,
      key: `${A}/m:3b-fp16`,
      name: 'm:3b-fp16',
      label: 'm:3b-fp16',
      digest: 'd9',
      sizeBytes: 40e9,
      quantization: 'F16',
    };
    const machine = machineWith([large, { ...MODEL, quantization: 'Q4_K_M' }]).command(
      'model.use',
      large.key,
    );
    machine.type('hello').send({ type: 'prompt.submitted' });
    expect(machine.state.chat.live).toBeNull();
    answer(machine, 'q');
    expect(machine.state.chat.live).toMatchObject({ prompt: 'hello', modelKey: MODEL.key });
    expect(machine.state.models.selected).toBe(MODEL.key);
  });
});

describe('what a load really took', () => {
  const loaded = {
    ...MODEL,
    loadState: 'loaded',
    memoryBytes: 3.4e9,
    vramBytes: 0,
    contextAllocated: 4096,
  } as const;

  it('is kept beside the estimate once both are known, and corrects the next verdict', () => {
    const machine = machineWith([MODEL]).send(detailed(MODEL));
    const before = fitOf(machine, MODEL).neededBytes ?? NaN;
    machine.send(listed(A, [loaded]));
    const [kept] = machine.wanted('loads.keep');
    expect(kept?.loads).toMatchObject([
      { model: 'd1', contextTokens: 4096, realBytes: 3.4e9, source: 'ollama' },
    ]);
    expect(kept?.loads[0]?.estimatedBytes).toBeCloseTo(before, -1);
    machine.send(listed(A, [MODEL]));
    expect(fitOf(machine, MODEL).neededBytes).toBeCloseTo(3.4e9, -1);
  });

  it('is kept once for the same figures, also when the shape is told later', () => {
    const machine = machineWith([loaded]);
    expect(machine.wanted('loads.keep')).toEqual([]);
    machine.send(detailed(MODEL), listed(A, [{ ...loaded, expiry: 'never' }]), listed(A, [loaded]));
    expect(machine.wanted('loads.keep')).toHaveLength(1);
  });

  it('of an earlier run is there at once', () => {
    const load = {
      model: 'd1',
      contextTokens: 4096,
      estimatedBytes: 3e9,
      realBytes: 3.4e9,
      source: 'ollama',
      at: 1,
    };
    const machine = machineWith([MODEL]).send(detailed(MODEL), { type: 'loads.remembered', loads: [load] });
    expect(fitOf(machine, MODEL).learned).toEqual(load);
  });

  it('is not learned from when it is far off: that was something else', () => {
    const machine = machineWith([MODEL]).send(detailed(MODEL), listed(A, [{ ...loaded, memoryBytes: 90e9 }]));
    expect(machine.wanted('loads.keep')).toEqual([]);
  });
});

const STARTED = { version: '1', problems: [], idSeed: 'seed' } as const;

function withContext(tokens: number) {
  return { ...createMachine().state.settings, contexts: { [MODEL.key]: tokens } };
}

function labels(machine: Machine): readonly string[] {
  return machine.state.view.overlays.at(-1)?.question?.choices.map(({ label }) => label) ?? [];
}

/** Presses the key of a choice in the open question, and does what it publishes. */
function answer(machine: Machine, key: string): void {
  const choices = machine.state.view.overlays.at(-1)?.question?.choices ?? [];
  const choice = choices.findIndex((each) => each.key === key);
  expect(choice).toBeGreaterThan(0);
  machine.send({ type: 'question.answered', choice });
  publishWanted(machine);
}

function publishWanted(machine: Machine): void {
  const last = machine.effects.at(-1);
  if (last?.type === 'event.publish') machine.send(last.event);
}

function fitOf(machine: Machine, { key }: Model) {
  return fitOfModel(machine.state, modelByKey(machine.state, key) ?? MODEL);
}

function verdictOf(machine: Machine, model: Model): string {
  return fitOf(machine, model).verdict;
}

function detailsOf(): ModelDetails {
  const { model_info, tensors } = llama32Show();
  const texts = { license: null, system: null, template: null, parameters: [], modifiedAt: null, facts: [] };
  return { ...texts, shape: shapeOfShow(model_info, tensors) };
}
