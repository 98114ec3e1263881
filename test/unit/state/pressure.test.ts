import { describe, expect, it } from '@jest/globals';
import {
  THIS_MACHINE,
  type GpuSample,
  type MachineDetail,
  type MachineSample,
  type MemoryCheck,
  type Pressure,
} from '../../../src/domain/hardware.js';
import { readingsOf } from '../../../src/state/machines.js';
import {
  createMachine,
  found,
  listed,
  modelOf,
  SAMPLE,
  server,
  type Machine,
} from '../../support/machine.js';

const CALM: Pressure = { cpuSome: 0, memorySome: 0, memoryFull: 0, ioSome: 0 };
const DETAIL: MachineDetail = {
  pressure: CALM,
  load5: 1,
  load15: 1,
  ioWait: 0,
  coresAllowed: null,
  temperatures: [],
  battery: null,
  disks: [],
  processes: null,
  oomKills: 0,
  limitHits: null,
};
const GPU: GpuSample = {
  id: 'GPU-1',
  index: 0,
  name: 'RTX',
  utilization: 0,
  memoryUsedBytes: 10e9,
  memoryTotalBytes: 24e9,
  temperatureC: null,
  powerW: null,
  powerLimitW: null,
  fan: null,
};

const detail = (m: Machine, change: Partial<MachineDetail>): Machine =>
  m.pass(2000).send({ type: 'hardware.detailed', detail: { ...DETAIL, ...change } });
const pressed = (m: Machine, change: Partial<Pressure>): Machine =>
  detail(m, { pressure: { ...CALM, ...change } });
const sample = (m: Machine, change: Partial<MachineSample>): Machine =>
  m.pass(1000).send({ type: 'hardware.sampled', sample: { ...SAMPLE, ...change } });
const gpus = (m: Machine, ...usedGb: readonly (number | null)[]): Machine =>
  m.pass(1000).send({
    type: 'gpus.sampled',
    gpus: usedGb.map((gb, index) => ({
      ...GPU,
      id: `GPU-${index}`,
      index,
      memoryUsedBytes: gb === null ? null : gb * 1e9,
    })),
  });
/** Warnings of memory, oldest first: text, then the next step. */
const warnings = (m: Machine) => m.state.notices.filter(({ level }) => level === 'warn' || level === 'bad');
const texts = (m: Machine) => warnings(m).map(({ text }) => text);
const hint = (m: Machine) => warnings(m).at(-1)?.hint;

/** An Ollama with two loaded models and one that is not. */
function loaded(): Machine {
  return createMachine().send(
    found(server('ollama@a')),
    listed('ollama@a', [
      modelOf('ollama@a', 'small', { loadState: 'loaded', memoryBytes: 2e9, vramBytes: 0.5e9 }),
      modelOf('ollama@a', 'big', { loadState: 'loaded', memoryBytes: 18e9, vramBytes: 17e9 }),
      modelOf('ollama@a', 'cold', { memoryBytes: 99e9 }),
    ]),
  );
}

describe('memory that is getting short', () => {
  it('is told when programs wait for it, with the largest loaded models first', () => {
    const m = pressed(loaded(), { memorySome: 0.12 });
    expect(texts(m)).toEqual(['memory is short: programs wait for it 12 % of the time']);
    expect(hint(m)).toBe('Unload one in the models pane (u): big (18.0 GB), small (2.0 GB).');
  });

  it.each<[string, Partial<Pressure>, number]>([
    ['some below a tenth', { memorySome: 0.0999 }, 0],
    ['some at a tenth', { memorySome: 0.1 }, 1],
    ['all at a twentieth', { memoryFull: 0.05 }, 1],
    ['waiting for cores and disks', { cpuSome: 1, ioSome: 1 }, 0],
    ['a warning of macOS', { level: 'warning' }, 1],
    ['normal on macOS', { level: 'normal' }, 0],
    ['nothing told', { memorySome: null, memoryFull: null }, 0],
  ])('%s', (_, pressure, told) => {
    expect(texts(pressed(createMachine(), pressure))).toHaveLength(told);
  });

  it('is not told again while it lasts, and again after it was over for half a minute', () => {
    const m = createMachine();
    for (let i = 0; i < 10; i++) pressed(m, { memorySome: 0.1 + i / 100 });
    expect(texts(m)).toHaveLength(1);
    // Half calm is not over, and a short calm neither.
    for (let i = 0; i < 30; i++) pressed(m, { memorySome: 0.07 });
    pressed(m, {});
    pressed(m, { memorySome: 0.3 });
    expect(texts(m)).toHaveLength(1);
    for (let i = 0; i < 17; i++) pressed(m, {});
    pressed(m, { memorySome: 0.5 });
    expect(texts(m)).toHaveLength(2);
  });

  it('is seen in a container whose limit is hit while hardly anything is left, but not when only files are given back', () => {
    const hits = (usedBytes: number): Machine => {
      const m = sample(createMachine(), {
        memoryUsedBytes: usedBytes,
        memoryTotalBytes: 10e9,
        memoryLimited: true,
      });
      detail(m, { limitHits: 100 });
      return detail(m, { limitHits: 140 });
    };
    expect(texts(hits(5e9))).toEqual([]);
    expect(texts(hits(9.5e9))).toEqual(['memory is short: 95 % of this container’s limit is in use']);
  });

  it('is seen in swap that grows fast while memory is nearly full', () => {
    const grows = (usedBytes: number, bytes: number): Machine => {
      const m = createMachine();
      sample(m, { memoryUsedBytes: usedBytes, swapUsedBytes: 1e9 });
      sample(m, { memoryUsedBytes: usedBytes, swapUsedBytes: 1e9 + bytes });
      return detail(m, {});
    };
    expect(texts(grows(15e9, 300e6))).toEqual(['memory is short: 0.3 GB went to swap within 30 s']);
    expect(texts(grows(15e9, 200e6))).toEqual([]);
    expect(texts(grows(8e9, 300e6))).toEqual([]);
  });

  it('does not take swap that grows slowly for a shortage', () => {
    const m = createMachine();
    for (let i = 0; i < 600; i++) {
      sample(m, { memoryUsedBytes: 15e9, swapUsedBytes: 1e9 + i * 2e6 });
      if (i % 2 === 0) m.send({ type: 'hardware.detailed', detail: DETAIL });
    }
    expect(texts(m)).toEqual([]);
  });

  it('tells each time that the kernel has ended programs, but nothing of those before', () => {
    const m = detail(createMachine(), { oomKills: 7 });
    expect(texts(m)).toEqual([]);
    detail(m, { oomKills: 8 });
    detail(m, { oomKills: 8 });
    expect(texts(m)).toEqual(['the kernel has ended a program: no memory left']);
    expect(warnings(m).at(-1)?.level).toBe('bad');
    detail(m, { oomKills: 10 });
    expect(texts(m)).toHaveLength(2);
    expect(texts(m).at(-1)).toContain('2 programs');
    // Another container, or the count is not told any more.
    detail(m, { oomKills: 0 });
    detail(m, { oomKills: null });
    detail(m, { oomKills: 5 });
    expect(texts(m)).toHaveLength(2);
  });

  it('names what cannot be unloaded as such, and else the program that holds most', () => {
    const fixed = server('llama.cpp@a', { features: { ...server('x').features, unload: false } });
    const m = createMachine().send(
      found(fixed),
      listed('llama.cpp@a', [modelOf('llama.cpp@a', 'only', { loadState: 'loaded', sizeBytes: 4e9 })]),
    );
    expect(hint(pressed(m, { memorySome: 1 }))).toBe('Loaded until its server is stopped: only (4.0 GB).');
    const processes = [
      { pid: 5, name: 'vllm', ports: [], cpu: null, memoryBytes: 6e9, mappedBytes: null },
      { pid: 6, name: 'lmapp', ports: [], cpu: null, memoryBytes: 9e9, mappedBytes: null },
    ];
    const other = detail(createMachine(), { pressure: { ...CALM, memorySome: 1 }, processes });
    expect(hint(other)).toBe('vllm (process 5) holds 6.0 GB: end it, or other programs.');
  });

  it('of another machine names it, and only the models there', () => {
    const m = loaded()
      .pass(2000)
      .send({
        type: 'hardware.detailed',
        machine: 'ssh:gpu-box',
        detail: { ...DETAIL, pressure: { ...CALM, memorySome: 0.5 } },
      });
    expect(texts(m)).toEqual(['ssh:gpu-box: memory is short: programs wait for it 50 % of the time']);
    expect(hint(m)).toBe('End other programs, or choose a smaller model or a shorter context.');
  });
});

describe('a card that is getting full', () => {
  it('is told once, with what lies on it', () => {
    const m = gpus(loaded(), 23.4);
    gpus(m, 23.9);
    expect(texts(m)).toEqual(['the memory of the GPU is almost full (98 %)']);
    expect(hint(m)).toBe('Unload one in the models pane (u): big (17.0 GB), small (0.5 GB).');
  });

  it('below 97 % it is not, nor is one that shares the memory of the machine or does not tell', () => {
    const m = gpus(createMachine(), 23.2, null);
    m.send({ type: 'gpus.sampled', gpus: [{ ...GPU, shared: true, memoryUsedBytes: 24e9 }] });
    expect(texts(m)).toEqual([]);
  });

  it('is told apart from others, and anew after it had room for half a minute', () => {
    const m = gpus(createMachine(), 1, 23.9);
    expect(texts(m)).toEqual(['the memory of GPU 1 is almost full (100 %)']);
    for (let i = 0; i < 40; i++) gpus(m, 1, 23);
    gpus(m, 1, 23.9);
    expect(texts(m)).toHaveLength(1);
    expect(m.state.notices).toHaveLength(1);
    const before = m.state.notices.at(-1)?.id;
    for (let i = 0; i < 40; i++) gpus(m, 1, 20);
    gpus(m, 1, 23.9);
    expect(m.state.notices.at(-1)?.id).not.toBe(before);
  });
});

describe('memory of a machine that is not shown', () => {
  const CHECK: MemoryCheck = {
    memoryUsedBytes: 8e9,
    memoryTotalBytes: 16e9,
    swapUsedBytes: 0,
    pressure: CALM,
    oomKills: 0,
    limitHits: null,
  };
  const check = (m: Machine, change: Partial<MemoryCheck>): Machine =>
    m.pass(10_000).send({ type: 'memory.checked', check: { ...CHECK, ...change } });

  it('is told when programs wait for it, when swap grows and when the kernel has ended one', () => {
    expect(texts(check(loaded(), { pressure: { ...CALM, memoryFull: 0.2 } }))).toEqual([
      'memory is short: all programs wait for it 20 % of the time',
    ]);
    const swapping = check(createMachine(), { memoryUsedBytes: 15e9 });
    expect(texts(check(swapping, { memoryUsedBytes: 15e9, swapUsedBytes: 1e9 }))).toEqual([
      'memory is short: 1.0 GB went to swap within 30 s',
    ]);
    const killed = check(check(createMachine(), {}), { oomKills: 1 });
    expect(texts(killed)).toEqual(['the kernel has ended a program: no memory left']);
  });

  it('leaves the readings as they were, and changes nothing while all is calm', () => {
    const m = check(sample(createMachine(), {}), {});
    const { state } = m;
    expect(readingsOf(state, THIS_MACHINE)).toMatchObject({ sample: SAMPLE, detail: null });
    m.send({ type: 'memory.checked', check: CHECK });
    expect(m.state).toBe(state);
  });
});
