import os from 'node:os';
import type {
  Battery,
  DiskSpace,
  MachineDetail,
  Pressure,
  SourceState,
  Temperature,
} from '../domain/hardware.js';
import { untilBeat, type Clock, type Environment } from '../ports.js';
import { readBattery } from './battery.js';
import { coresAllowed, groupEvents, openMemoryLimit } from './cgroup.js';
import { iowaitShare, readWaiting, type Waiting } from './cpu.js';
import { openDisks } from './disks.js';
import { modelFolders } from './model-folders.js';
import { readPressure } from './pressure.js';
import type { Probe, ProbeReport } from './probe.js';
import { numberAfter, openProcFiles, type ProcFiles } from './proc-files.js';
import { openProcessWatch } from './processes.js';
import { decimal } from './read-values.js';
import { createSlowSource, type SlowSource } from './slow-source.js';
import { findSensors, openThermometer, type Thermometer } from './temperatures.js';

export interface LinuxDetailOptions {
  readonly clock: Clock;
  readonly env: Environment;
  /** Folder that holds proc/ and sys/; a test gives a tree of its own. */
  readonly root?: string;
  /** lmapp's own data, whose disk is told beside those of the models. */
  readonly dataFolder?: string;
  /** Ports of the servers of this machine that are known. */
  readonly serverPorts?: () => readonly number[];
  readonly files?: ProcFiles;
}

/** Behind the first frame and the first readings. */
const FIRST_MS = 400;
const SHORTEST_MS = 2000;
const FIND_EVERY_MS = 10_000;
const TEMPERATURES_EVERY_MS = 5000;
const RARELY_MS = 30_000;

/** Readings of Linux that change slowly or cost more, each from a source with a life of its own. */
export function createLinuxDetailProbe(options: LinuxDetailOptions): Probe {
  const { clock, env } = options;
  const root = options.root ?? '/';
  const files = options.files ?? openProcFiles(root);
  const home = env['HOME'] ?? os.tmpdir();
  const disks = openDisks(modelFolders(env, 'linux', home, options.dataFolder ?? null), clock);
  const processes = openProcessWatch({
    clock,
    root,
    pid: process.pid,
    uid: process.getuid?.() ?? -1,
    serverPorts: options.serverPorts ?? (() => []),
  });
  const limitFor = openMemoryLimit(files);
  let report: (report: ProbeReport) => void = () => undefined;
  let cancel: (() => void) | null = null;
  let thermometer: Thermometer | null = null;
  let temperatures: readonly Temperature[] = [];
  let battery: Battery | null = null;
  let diskRows: readonly DiskSpace[] = [];
  let cores: number | null = null;
  let memoryBytes: number | null = null;
  let waiting: Waiting | null = null;
  let foundAt = -Infinity;
  let rarelyAt = -Infinity;
  let last: MachineDetail | null = null;
  /** Slow sources whose first answer was told. */
  const answered = new Set<string>();
  /** The last state told of the sources that are read at once. */
  const told = new Map<string, string>();

  const state =
    (source: string) =>
    (now: SourceState): void =>
      report({ type: 'state', source, state: now });

  /** Sensors are looked for again when none answers: a module may have been loaded meanwhile. */
  async function askTemperatures(): Promise<readonly Temperature[] | null> {
    thermometer ??= openThermometer(findSensors(root));
    const asked = thermometer;
    const read = await asked.read();
    if (read.length > 0) return read;
    asked.close();
    if (thermometer === asked) thermometer = null;
    return null;
  }

  /** Once all slow sources have answered for the first time, what they know is told at once: the next turn is seconds away. */
  function tellFirst(source: string): void {
    if (answered.has(source) || last === null) return;
    answered.add(source);
    const isKnown = temperatures.length > 0 || battery !== null || diskRows.length > 0;
    if (answered.size < slow.length || !isKnown) return;
    last = { ...last, temperatures, battery, disks: diskRows };
    report({ type: 'detail', detail: last });
  }

  const slow: readonly (readonly [SlowSource, number])[] = [
    [
      createSlowSource({
        clock,
        ask: askTemperatures,
        tell: state('temperatures'),
        onValue(value) {
          temperatures = value ?? [];
          tellFirst('temperatures');
        },
      }),
      TEMPERATURES_EVERY_MS,
    ],
    [
      createSlowSource({
        clock,
        ask: () => readBattery(root),
        tell: state('battery'),
        onValue(value) {
          battery = value;
          tellFirst('battery');
        },
      }),
      RARELY_MS,
    ],
    [
      createSlowSource({
        clock,
        ask: () => disks.read(),
        complaint: () => {
          const [folder] = disks.hanging;
          return folder === undefined
            ? null
            : { reason: `the disk of ${folder} does not answer`, hint: 'Is its network disk still there?' };
        },
        tell: state('disks'),
        onValue(value) {
          diskRows = value ?? [];
          tellFirst('disks');
        },
      }),
      RARELY_MS,
    ],
  ];

  function tellOnce(source: string, now: SourceState): void {
    if (told.get(source) === now.state) return;
    told.set(source, now.state);
    state(source)(now);
  }

  function read(): MachineDetail {
    const limit = limitFor(memoryBytes);
    const pressure: Pressure | null = readPressure(files, limit?.folder ?? null);
    tellOnce('pressure', { state: pressure ? 'live' : 'absent' });
    const load = (files.read('proc/loadavg') ?? '').split(' ', 3);
    const before = waiting;
    waiting = readWaiting(files.read('proc/stat') ?? '');
    const events = limit ? groupEvents(files, limit) : null;
    const servers = processes.sample();
    if (servers) tellOnce('processes', { state: 'live' });
    return {
      pressure,
      load5: decimal(load[1]),
      load15: decimal(load[2]),
      ioWait: iowaitShare(before, waiting),
      coresAllowed: cores,
      temperatures,
      battery,
      disks: diskRows,
      processes: servers,
      // In a container the count of the whole machine would be somebody else's.
      oomKills: events ? events.oomKills : numberAfter(files.read('proc/vmstat') ?? '', 'oom_kill '),
      limitHits: events?.limitHits ?? null,
    };
  }

  return {
    id: 'detail',
    start(intervalMs, to) {
      report = to;
      cancel?.();
      waiting = null;
      const everyMs = Math.max(SHORTEST_MS, 2 * intervalMs);
      const turn = (): void => {
        const now = clock.monotonic();
        if (now - rarelyAt >= RARELY_MS) {
          rarelyAt = now;
          cores = coresAllowed(files);
          memoryBytes = totalBytes(files);
        }
        for (const [source, least] of slow) source.follow(Math.max(least, everyMs));
        if (now - foundAt >= FIND_EVERY_MS) {
          foundAt = now;
          processes.find();
        }
        last = read();
        report({ type: 'detail', detail: last });
        cancel = clock.after(untilBeat(clock, everyMs), turn);
      };
      cancel = clock.after(FIRST_MS, turn);
    },
    stop() {
      cancel?.();
      cancel = null;
      foundAt = -Infinity;
      told.clear();
      answered.clear();
      last = null;
      processes.stop();
      thermometer?.close();
      thermometer = null;
      for (const [source] of slow) source.stop();
    },
  };
}

function totalBytes(files: ProcFiles): number | null {
  const kilobytes = numberAfter(files.read('proc/meminfo') ?? '', 'MemTotal:');
  return kilobytes === null ? null : kilobytes * 1024;
}
