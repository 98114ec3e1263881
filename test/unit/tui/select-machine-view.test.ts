import { describe, expect, it } from '@jest/globals';
import type { MachineDetail } from '../../../src/domain/hardware.js';
import { answerMarks, selectMachineView } from '../../../src/tui/select-machine-view.js';
import {
  ask,
  createMachine,
  createReadyMachine,
  found,
  listed,
  modelOf,
  SAMPLE,
  server,
} from '../../support/machine.js';

const DETAIL: MachineDetail = {
  pressure: null,
  load5: 1.2,
  load15: null,
  ioWait: 0.01,
  coresAllowed: null,
  temperatures: [],
  battery: null,
  disks: [],
  processes: [
    { pid: 7, name: 'ollama', ports: [11434], cpu: 1, memoryBytes: 1e9, mappedBytes: null },
    { pid: 8, name: 'runner', ports: [], cpu: null, memoryBytes: null, mappedBytes: null },
  ],
  oomKills: 0,
};

const GPU = {
  ...{
    id: 'GPU-1',
    index: 0,
    name: 'RTX 4070',
    utilization: 0.5,
    memoryUsedBytes: null,
    memoryTotalBytes: null,
  },
  ...{ temperatureC: null, powerW: null, powerLimitW: null, fan: null },
};

describe('the machine over the whole screen', () => {
  it('tells the models in memory, and which of them a program on the GPU serves', () => {
    const machine = createReadyMachine().send(
      { type: 'hardware.sampled', sample: SAMPLE },
      { type: 'hardware.detailed', detail: DETAIL },
      {
        type: 'gpus.sampled',
        gpus: [
          {
            ...GPU,
            processes: [
              { pid: 7, name: 'ollama', memoryBytes: 6e9 },
              { pid: 99, name: 'blender', memoryBytes: null },
            ],
          },
        ],
      },
    );
    const view = selectMachineView(machine.state);
    expect(view.models).toEqual([
      { label: 'small', server: 'ollama', memoryBytes: null, vramBytes: null, note: '' },
    ]);
    expect(view.gpus[0]?.users).toEqual([
      { label: 'ollama 7 · small', memoryBytes: 6e9 },
      { label: 'blender 99', memoryBytes: null },
    ]);
    expect(view.loads).toEqual([null, 1.2, null]);
    expect(view.processes?.map(({ where, cpu }) => [where, cpu])).toEqual([
      [':11434', 1],
      ['', null],
    ]);
  });

  it('names no model for a program whose server has several in memory', () => {
    const machine = createReadyMachine().send(
      listed(
        'ollama@a',
        ['small', 'large'].map((name) => modelOf('ollama@a', name, { loadState: 'loaded' })),
      ),
      { type: 'gpus.sampled', gpus: [{ ...GPU, processes: [{ pid: 7, name: 'ollama', memoryBytes: 1 }] }] },
    );
    expect(selectMachineView(machine.state).gpus[0]?.users[0]?.label).toBe('ollama 7');
  });

  it('shows the machine that the server of the selected model names in the configuration', () => {
    const machine = createMachine({
      backends: [{ url: 'http://gpu-box:11434/', machine: 'ssh:gpu-box' }],
    }).send(
      found(server('ollama@b', { url: 'http://gpu-box:11434' })),
      listed('ollama@b', [modelOf('ollama@b', 'far', { loadState: 'loaded' })]),
      { type: 'hardware.sampled', sample: { ...SAMPLE, cpu: 0.1 } },
      { type: 'hardware.sampled', machine: 'ssh:gpu-box', sample: { ...SAMPLE, cpu: 0.9 } },
      { type: 'backends.searched', found: 1 },
    );
    expect(selectMachineView(machine.state).sample?.cpu).toBe(0.9);
    expect(selectMachineView(machine.state).models.map(({ label }) => label)).toEqual(['far']);
    machine.send({ type: 'panes.shown', panes: ['machine'] });
    expect(machine.wanted('hardware.watch').at(-1)?.machine).toBe('ssh:gpu-box');
  });
});

describe('the answers on the time axis', () => {
  it('have begin, end, speed, and the highest readings between them', () => {
    const machine = createReadyMachine();
    const turnId = ask(machine, 'hello');
    const sampled = (cpu: number | null) => ({
      type: 'hardware.sampled' as const,
      sample: { ...SAMPLE, cpu },
    });
    machine.pass(1000).send({ type: 'turn.text.delta', turnId, text: 'a', pieces: 1 }, sampled(0.7));
    machine.pass(1000).send(sampled(null), { type: 'turn.text.delta', turnId, text: 'b', pieces: 9 });
    expect(answerMarks(machine.state)[0]).toMatchObject({
      toMs: 0,
      label: expect.stringContaining('CPU up to 70 %'),
    });
    machine.send({ type: 'turn.ended', turnId, outcome: 'complete', reason: null, fault: null });
    machine.pass(5000).send(sampled(1), { type: 'clock.ticked' });
    const [mark] = answerMarks(machine.state);
    expect(mark?.fromMs).toBeGreaterThan(7000);
    expect(mark?.toMs).toBeGreaterThanOrEqual(5000);
    expect(mark?.label).toMatch(/^≈ [\d.]+ tok\/s, CPU up to 70 %$/);
  });

  it('are none for a model on another machine', () => {
    const machine = createReadyMachine();
    ask(machine, 'hello');
    machine.send(
      found(server('far@b', { url: 'http://far:1' })),
      listed('ollama@a', [modelOf('ollama@a', 'other')]),
    );
    expect(answerMarks(machine.state)).toEqual([]);
  });
});
