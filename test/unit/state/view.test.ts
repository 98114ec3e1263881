import { describe, expect, it } from '@jest/globals';
import { NO_DETAIL, THIS_MACHINE, type GpuSample } from '../../../src/domain/hardware.js';
import type { AppEvent } from '../../../src/events/catalogue.js';
import { readingsOf } from '../../../src/state/machines.js';
import { HISTORY_SAMPLES } from '../../../src/state/state.js';
import { ask, createMachine, createReadyMachine, SAMPLE, type Machine } from '../../support/machine.js';

describe('Ctrl+C', () => {
  it('stops the answer first, then empties the message, and quits on the second time on an empty one', () => {
    const machine = createReadyMachine();
    ask(machine, 'one');
    machine.type('draft').command('interrupt');
    expect(machine.state.chat.live).toBeNull();
    expect(machine.state.prompt.text).toBe('draft');
    machine.command('interrupt');
    expect(machine.state.prompt.text).toBe('');
    machine.command('interrupt');
    expect(machine.wanted('app.quit')).toEqual([]);
    machine.command('interrupt');
    expect(machine.wanted('app.quit')).toEqual([{ type: 'app.quit', exitCode: 0 }]);
  });

  it('is not armed any more after two seconds, or when something was typed', () => {
    const machine = createReadyMachine().command('interrupt').pass(2001).command('interrupt');
    expect(machine.wanted('app.quit')).toEqual([]);
    machine.type('x').send({ type: 'prompt.edited', edit: { op: 'delete', by: 'char', direction: -1 } });
    expect(machine.state.view.quitArmedMono).toBeNull();
    machine.command('interrupt');
    expect(machine.wanted('app.quit')).toEqual([]);
  });

  it('closes what is open before it empties anything', () => {
    const machine = createReadyMachine().type('draft').command('menu.open').command('interrupt');
    expect(machine.state.view.overlays).toEqual([]);
    expect(machine.state.prompt.text).toBe('draft');
  });
});

describe('Esc', () => {
  it('closes one thing after the other: filter, overlay, answer, zoom, and goes back to the message', () => {
    const machine = createReadyMachine();
    ask(machine, 'one');
    machine.send({ type: 'pane.focused', pane: 'log' }).command('pane.zoom').command('menu.open');
    machine.command('escape');
    expect(machine.state.view).toMatchObject({ overlays: [], zoomed: 'log' });
    expect(machine.state.chat.live).not.toBeNull();
    machine.command('log.filter').command('escape');
    expect(machine.state.view.filtering).toBeNull();
    expect(machine.state.chat.live).not.toBeNull();
    machine.command('escape');
    expect(machine.state.chat.live).toBeNull();
    machine.command('escape');
    expect(machine.state.view.zoomed).toBeNull();
    machine.command('escape');
    expect(machine.state.view.pane).toBe('message');
  });
});

describe('notices', () => {
  it('that say the same stand once, as the newest, and are bounded', () => {
    const machine = createMachine();
    const raise = (text: string): void =>
      void machine.send({ type: 'notice.raised', level: 'info', text, hint: null });
    ['a', 'b', 'a'].forEach(raise);
    expect(machine.told).toEqual(['b', 'a']);
    for (let i = 0; i < 300; i++) raise(`n${i}`);
    expect(machine.told).toHaveLength(100);
    expect(machine.told.at(-1)).toBe('n299');
  });
});

describe('the filter of the log', () => {
  it('works while it is typed; an empty one is none; Enter keeps it', () => {
    const machine = createMachine().send({ type: 'pane.focused', pane: 'log' }).command('log.filter-inverse');
    machine.send({ type: 'filter.edited', edit: { op: 'insert', text: 'x' } });
    expect(machine.state.logs.filter).toEqual({ pattern: 'x', inverse: true });
    machine.send({ type: 'filter.closed' });
    expect(machine.state.view.filtering).toBeNull();
    expect(machine.state.logs.filter).toEqual({ pattern: 'x', inverse: true });
    machine.command('log.filter').send({ type: 'filter.edited', edit: { op: 'clear' } });
    expect(machine.state.logs.filter).toBeNull();
  });

  it('of the source goes round: all, each one, all', () => {
    const line = (source: string) => ({ at: null, level: null, source, text: 'x' });
    const machine = createMachine().send({
      type: 'logs.appended',
      lines: [line('a'), line('b')],
      skipped: 1,
    });
    const seen = [1, 2, 3].map(() => machine.command('log.source').state.logs.source);
    expect(seen).toEqual(['a', 'b', null]);
    expect(machine.state.logs.ring.skipped).toBe(1);
  });

  it('follows and holds with the same key', () => {
    const machine = createMachine().send({
      type: 'logs.appended',
      lines: [{ at: null, level: null, source: 'a', text: 'x' }],
      skipped: 0,
    });
    expect(machine.command('log.follow').state.logs.held).toBe(0);
    expect(machine.command('log.follow').state.logs.held).toBeNull();
  });
});

describe('the machine', () => {
  const gpu = (utilization: number | null): GpuSample => ({
    id: 'g',
    index: 0,
    name: 'g',
    utilization,
    memoryUsedBytes: null,
    memoryTotalBytes: null,
    temperatureC: null,
    powerW: null,
    powerLimitW: null,
    fan: null,
  });

  it('has histories that are bounded and keep gaps', () => {
    const machine = createMachine();
    for (let i = 0; i < HISTORY_SAMPLES + 10; i++)
      machine.send({ type: 'hardware.sampled', sample: { ...SAMPLE, cpu: i % 2 ? null : 0.25 } });
    const { cpuHistory, memoryHistory } = readingsOf(machine.state, THIS_MACHINE);
    expect(cpuHistory).toHaveLength(HISTORY_SAMPLES);
    expect(cpuHistory.slice(-2)).toEqual([0.25, null]);
    expect(memoryHistory.at(-1)).toBe(0.5);
    machine.send(
      { type: 'gpus.sampled', gpus: [gpu(0.2), gpu(0.8), gpu(null)] },
      { type: 'gpus.sampled', gpus: [gpu(null)] },
      { type: 'gpus.sampled', gpus: [{ ...gpu(0.8), stale: true }] },
    );
    expect(readingsOf(machine.state, THIS_MACHINE).gpuHistory).toEqual([0.8, null, null]);
  });

  it('is watched only while it is shown, less often without the focus, and as often as wished', () => {
    const machine = createMachine();
    machine.send(
      { type: 'panes.shown', panes: ['machine', 'message'] },
      { type: 'panes.shown', panes: ['machine', 'log'] },
    );
    machine.send({ type: 'screen.focused', focused: false }, { type: 'screen.focused', focused: true });
    machine.command('machine.faster').command('machine.slower').command('machine.slower');
    machine.send({ type: 'panes.shown', panes: ['message'] });
    expect(machine.wanted('hardware.watch').map((e) => [e.machine, e.intervalMs])).toEqual([
      [THIS_MACHINE, 1000],
      [THIS_MACHINE, 5000],
      [THIS_MACHINE, 1000],
      [THIS_MACHINE, 500],
      [THIS_MACHINE, 1000],
      [THIS_MACHINE, 2000],
      [null, 2000],
    ]);
  });
});

describe('the machine on its battery', () => {
  const battery = (mains: boolean | null): AppEvent => ({
    type: 'hardware.detailed',
    detail: {
      ...NO_DETAIL,
      battery: { charge: 0.5, charging: false, powerW: 9, mains },
    },
  });
  const intervals = (machine: Machine) => machine.wanted('hardware.watch').map((e) => e.intervalMs);

  it('is looked at each five seconds until the mains are back', () => {
    const machine = createMachine().send({ type: 'panes.shown', panes: ['machine'] });
    machine.send(battery(null), battery(false), battery(false), battery(true));
    expect(intervals(machine)).toEqual([1000, 5000, 1000]);
  });

  it('is looked at as often as was chosen by key', () => {
    const machine = createMachine().send({ type: 'panes.shown', panes: ['machine'] }, battery(false));
    machine.command('machine.faster').send(battery(true), battery(false));
    expect(intervals(machine)).toEqual([1000, 5000, 2000]);
  });
});

describe('the layout', () => {
  it('goes round and is kept', () => {
    const machine = createMachine();
    const seen = [1, 2, 3].map(() => machine.command('layout.cycle').state.view.layout);
    expect(seen).toEqual(['chat-machine', 'chat', 'all']);
    expect(machine.wanted('settings.save').map((e) => e.value)).toEqual(seen);
  });
});

describe('an event that nobody knows', () => {
  it('leaves the very same state', () => {
    const machine = createMachine();
    const before = machine.state;
    machine.send({ type: 'from.the.future' } as never).command('no.such.command');
    expect(machine.state).toBe(before);
  });
});
