import { afterEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import { THIS_MACHINE } from '../../src/domain/hardware.js';
import { createMachineEffects, type MachineEffects } from '../../src/effects/machines.js';
import type { AppEvent } from '../../src/events/catalogue.js';
import { createManualClock } from '../support/manual-clock.js';
import { makeTree, MEMINFO } from '../unit/hardware/tree.js';

const GIB = 1024 ** 3;
const roots: string[] = [];
let effects: MachineEffects | null = null;
afterEach(() => {
  effects?.stop();
  for (const root of roots.splice(0)) fs.rmSync(root, { recursive: true, force: true });
});

function start(platform: NodeJS.Platform = 'linux') {
  const root = makeTree({
    'proc/meminfo': MEMINFO,
    'proc/self/cgroup': '0::/box\n',
    'sys/fs/cgroup/box/memory.max': `${4 * GIB}\n`,
    'sys/fs/cgroup/box/memory.current': `${3 * GIB}\n`,
    'sys/fs/cgroup/box/memory.stat': `inactive_file ${GIB}\n`,
    'sys/fs/cgroup/box/memory.events': 'low 0\nhigh 0\nmax 2\noom 1\noom_kill 1\n',
    'proc/pressure/memory':
      'some avg10=25.00 avg60=1 avg300=1 total=1\nfull avg10=6.00 avg60=1 avg300=1 total=1\n',
  });
  roots.push(root);
  const clock = createManualClock();
  const events: AppEvent[] = [];
  effects = createMachineEffects({
    ports: { clock, env: {}, platform },
    publish: (event) => void events.push(event),
    gpu: false,
    diskFolder: () => root,
    serverPorts: () => [],
    childPath: '/nowhere',
    root,
  });
  const checks = () => events.filter(({ type }) => type === 'memory.checked');
  /** What is loaded lazily has come. */
  const loaded = async (): Promise<void> => {
    await import('../../src/hardware/memory-guard.js');
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { clock, effects, checks, loaded };
}

describe('memory of a machine that nobody looks at', () => {
  it('is looked at each ten seconds, with the limit of its container', async () => {
    const { clock, checks, loaded } = start();
    clock.advance(9999);
    await loaded();
    expect(checks()).toEqual([]);
    clock.advance(1);
    await loaded();
    expect(checks()).toEqual([
      {
        type: 'memory.checked',
        check: {
          memoryUsedBytes: 2 * GIB,
          memoryTotalBytes: 4 * GIB,
          swapUsedBytes: 1_000_000 * 1024,
          pressure: { cpuSome: null, memorySome: 0.25, memoryFull: 0.06, ioSome: null },
          oomKills: 1,
          limitHits: 2,
        },
      },
    ]);
    clock.advance(20_000);
    expect(checks()).toHaveLength(3);
    effects?.stop();
    clock.advance(60_000);
    expect(checks()).toHaveLength(3);
  });

  it('is left to the gauges while they are shown', async () => {
    const { clock, effects: machines, checks, loaded } = start();
    clock.advance(10_000);
    await loaded();
    machines.watch(THIS_MACHINE, 60_000);
    clock.advance(30_000);
    expect(checks()).toHaveLength(1);
    machines.watch('ssh:gpu-box', 60_000);
    machines.watch(null, 60_000);
    clock.advance(10_000);
    expect(checks()).toHaveLength(2);
  });

  it('is not looked at where that takes programs', async () => {
    const { clock, checks, loaded } = start('darwin');
    clock.advance(60_000);
    await loaded();
    expect(checks()).toEqual([]);
  });
});
