import { describe, expect, it } from '@jest/globals';
import type { MachineDetail, SourceState } from '../../../src/domain/hardware.js';
import { iowaitShare, readWaiting } from '../../../src/hardware/cpu.js';
import { openDisks } from '../../../src/hardware/disks.js';
import { createLinuxDetailProbe } from '../../../src/hardware/linux-detail.js';
import { modelFolders } from '../../../src/hardware/model-folders.js';
import { parsePressure, readPressure } from '../../../src/hardware/pressure.js';
import { openProcFiles } from '../../../src/hardware/proc-files.js';
import { createManualClock } from '../../support/manual-clock.js';
import { makeTree, MEMINFO, writeTree } from './tree.js';

const PSI = `some avg10=12.50 avg60=3.00 avg300=1.00 total=265251867
full avg10=4.00 avg60=0.00 avg300=0.00 total=0
`;
/** Lets promises and file reads of this process come in. */
const settle = async (isDone: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !isDone(); i++) await new Promise((resolve) => setTimeout(resolve, 2));
};

describe('pressure', () => {
  it('is told as shares of the last ten seconds', () => {
    expect(parsePressure(PSI)).toEqual({ some: 0.125, full: 0.04 });
    expect(parsePressure('some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n')).toEqual({
      some: 0,
      full: null,
    });
  });

  it.each(['', 'some avg10= avg60=0', 'some avg10=x avg60=0', 'some avg10=250.00 avg60=0 '])(
    '%p tells nothing',
    (text) => expect(parsePressure(text)).toEqual({ some: null, full: null }),
  );

  it('is absent where the kernel keeps no account, and each part for itself', () => {
    expect(readPressure(openProcFiles(makeTree({})), null)).toBeNull();
    expect(readPressure(openProcFiles(makeTree({ 'proc/pressure/memory': PSI })), null)).toEqual({
      cpuSome: null,
      memorySome: 0.125,
      memoryFull: 0.04,
      ioSome: null,
    });
  });

  it('of memory is the worse of the machine’s and the container’s', () => {
    const files = openProcFiles(
      makeTree({
        'proc/pressure/memory': PSI,
        'sys/fs/cgroup/a/memory.pressure': PSI.replace('12.50', '60.00'),
      }),
    );
    expect(readPressure(files, 'sys/fs/cgroup/a')?.memorySome).toBe(0.6);
  });
});

describe('waiting for disks', () => {
  it('is the share of iowait, and unknown when that went back', () => {
    const at = (user: number, iowait: number) =>
      readWaiting(`cpu  ${user} 0 0 0 ${iowait} 0 0 0 0 0\ncpu0 1\n`);
    expect(iowaitShare(at(100, 100), at(130, 170))).toBeCloseTo(0.7);
    expect(iowaitShare(at(100, 100), at(200, 90))).toBeNull();
    expect(iowaitShare(at(100, 100), at(100, 100))).toBeNull();
    expect(iowaitShare(null, at(1, 1))).toBeNull();
    expect(readWaiting('cpu  1 2 3 4\n')).toBeNull();
  });
});

describe('disks of models', () => {
  const space = (path: string) => ({ path, freeBytes: 1, totalBytes: 2 });

  it('are told once each, without folders that are not there', async () => {
    const devices: Readonly<Record<string, number>> = { '/a': 1, '/b': 2, '/c': 1 };
    const disks = openDisks(['/a', '/none', '/b', '/c'], createManualClock(), async (folder) => {
      const device = devices[folder];
      return device === undefined ? null : { device, space: space(folder) };
    });
    expect(await disks.read()).toEqual([space('/a'), space('/b')]);
  });

  it('one that hangs has a row without figures, is asked once, and holds up no other', async () => {
    const clock = createManualClock();
    const asked: string[] = [];
    let back: () => void = () => undefined;
    const disks = openDisks(['/dead', '/good'], clock, (folder) => {
      asked.push(folder);
      if (folder === '/dead' && asked.length === 1)
        return new Promise((resolve) => (back = () => resolve({ device: 9, space: space('/dead') })));
      return Promise.resolve({ device: folder === '/dead' ? 9 : 1, space: space(folder) });
    });
    const first = disks.read();
    clock.advance(2000);
    const hanging = { path: '/dead', freeBytes: null, totalBytes: null };
    expect(await first).toEqual([hanging, space('/good')]);
    expect(disks.hanging).toEqual(['/dead']);
    expect(await disks.read()).toEqual([hanging, space('/good')]);
    expect(asked).toEqual(['/dead', '/good', '/good']);
    back();
    await settle(() => disks.hanging.length === 0);
    expect(await disks.read()).toEqual([space('/dead'), space('/good')]);
  });

  it('at most two may hang at once, for the files of this program need threads too', async () => {
    const clock = createManualClock();
    const asked: string[] = [];
    const disks = openDisks(['/1', '/2', '/3'], clock, (folder) => {
      asked.push(folder);
      return new Promise(() => undefined);
    });
    const read = disks.read();
    await settle(() => asked.length === 1);
    clock.advance(2000);
    await settle(() => asked.length === 2);
    clock.advance(2000);
    expect(await read).toHaveLength(2);
    expect(asked).toEqual(['/1', '/2']);
  });

  it('are those of the environment before the usual ones', () => {
    const env = { OLLAMA_MODELS: '/big/ollama', HF_HOME: 'relative', LLAMA_CACHE: '/big/llama' };
    const folders = modelFolders(env, 'linux', '/home/u', '/home/u/.local/share/lmapp');
    expect(folders[0]).toBe('/big/ollama');
    expect(folders).toContain('/home/u/.cache/huggingface/hub');
    expect(folders).toContain('/usr/share/ollama/.ollama/models');
    expect(folders.at(-1)).toBe('/home/u/.local/share/lmapp');
    expect(folders.some((folder) => folder.startsWith('relative'))).toBe(false);
  });
});

describe('the probe of slow readings', () => {
  function rig(files: Readonly<Record<string, string>>) {
    const root = makeTree({ 'proc/meminfo': MEMINFO, ...files });
    const clock = createManualClock();
    const details: MachineDetail[] = [];
    const states: string[] = [];
    const known = new Map<string, SourceState>();
    const probe = createLinuxDetailProbe({ clock, root, env: { HOME: root }, dataFolder: root });
    const start = (ms = 1000): void =>
      probe.start(ms, (r) => {
        if (r.type === 'detail') details.push(r.detail);
        if (r.type !== 'state') return;
        states.push(`${r.source} ${r.state.state}`);
        known.set(r.source ?? '', r.state);
      });
    return { root, clock, details, states, known, probe, start };
  }

  it('begins behind the first frame, tells what there is, and each source its own state', async () => {
    const r = rig({
      'proc/pressure/memory': PSI,
      'proc/loadavg': '0.52 0.40 0.30 1/100 42\n',
      'proc/vmstat': 'nr_free_pages 1\noom_kill 3\n',
      'sys/class/hwmon/hwmon0/name': 'coretemp\n',
      'sys/class/hwmon/hwmon0/temp1_input': '50000\n',
    });
    r.start();
    expect(r.details).toEqual([]);
    r.clock.advance(400);
    await settle(
      () => r.known.get('disks')?.state === 'live' && r.known.get('temperatures')?.state === 'live',
    );
    r.clock.advance(2000);
    expect(r.details.at(-1)).toMatchObject({
      pressure: { memorySome: 0.125 },
      load5: 0.4,
      load15: 0.3,
      ioWait: null,
      coresAllowed: null,
      temperatures: [{ label: 'CPU', celsius: 50 }],
      battery: null,
      disks: [{ path: r.root, freeBytes: expect.any(Number) }],
      processes: [],
      oomKills: 3,
      limitHits: null,
    });
    expect(Object.fromEntries([...r.known].map(([source, { state }]) => [source, state]))).toEqual({
      pressure: 'live',
      temperatures: 'live',
      battery: 'absent',
      disks: 'live',
      processes: 'live',
    });
    r.probe.stop();
  });

  it('counts the kills of its own container, not those of the whole machine', () => {
    const r = rig({
      'proc/vmstat': 'oom_kill 30\n',
      'proc/self/cgroup': '0::/\n',
      'sys/fs/cgroup/memory.max': '1000000000\n',
      'sys/fs/cgroup/memory.events': 'high 0\nmax 5\noom 1\noom_kill 1\n',
    });
    r.start();
    r.clock.advance(400);
    expect(r.details[0]).toMatchObject({ oomKills: 1, limitHits: 5 });
    r.probe.stop();
  });

  it('makes no number of what is missing', () => {
    const r = rig({ 'proc/meminfo': '' });
    r.start();
    r.clock.advance(2400);
    expect(r.details.at(-1)).toEqual({
      pressure: null,
      load5: null,
      load15: null,
      ioWait: null,
      coresAllowed: null,
      temperatures: [],
      battery: null,
      disks: [],
      processes: [],
      oomKills: null,
      limitHits: null,
    });
    r.probe.stop();
  });

  it('tells each state once, every 2 s at most beside the first answers of slow sources, and nothing after stop', async () => {
    const r = rig({ 'proc/pressure/memory': PSI });
    r.start(500);
    r.clock.advance(400);
    await settle(() => r.known.size === 5 && r.known.get('disks')?.state === 'live');
    // Who looks once does not wait for the next turn.
    expect(r.details.map(({ disks }) => disks.length)).toEqual([0, 1]);
    r.clock.advance(20_000);
    expect(r.details).toHaveLength(12);
    expect(r.states.filter((state) => state === 'pressure live')).toHaveLength(1);
    r.probe.stop();
    r.clock.advance(600_000);
    expect(r.details).toHaveLength(12);
    r.start();
    r.clock.advance(400);
    expect(r.states.filter((state) => state === 'pressure live')).toHaveLength(2);
    r.probe.stop();
  });

  it('looks less often when less is wanted', () => {
    const r = rig({});
    r.start(5000);
    r.clock.advance(400 + 30_000);
    expect(r.details).toHaveLength(4);
    r.probe.stop();
  });

  it('finds a sensor that comes later', async () => {
    const r = rig({});
    r.start();
    r.clock.advance(400);
    await settle(() => r.known.get('temperatures')?.state === 'absent');
    writeTree(r.root, {
      'sys/class/hwmon/hwmon0/name': 'coretemp\n',
      'sys/class/hwmon/hwmon0/temp1_input': '50000\n',
    });
    r.clock.advance(5 * 60_000);
    await settle(() => r.known.get('temperatures')?.state === 'live');
    expect(r.known.get('temperatures')).toEqual({ state: 'live' });
    r.probe.stop();
  });
});
