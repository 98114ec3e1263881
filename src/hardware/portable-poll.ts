import { execFile } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import si from 'systeminformation';
import type { Battery, MachineDetail, MachineSample } from '../domain/hardware.js';
import { systemClock } from '../ports.js';
import { openDisks } from './disks.js';
import { parseMacMemoryState, parseNetstat, parsePmset, parseVmStat } from './mac-rows.js';
import { modelFolders } from './model-folders.js';
import { netRates, type NetReading, type NetRates } from './network.js';
import { openPortableProcesses } from './portable-processes.js';

export interface PollOptions {
  readonly intervalMs: number;
  readonly platform: NodeJS.Platform;
  /** Whose disk is told beside those of the models. */
  readonly dataFolder: string | null;
  readonly tell: (line: { readonly sample: MachineSample } | { readonly detail: MachineDetail }) => void;
}

const OFTEN_MS = 2000;
const NOW_AND_THEN_MS = 5000;
const RARELY_MS = 30_000;
const BATTERY_MS = 60_000;
const PROGRAM_MS = 5000;
const FIRST_MS = 3000;
const MOST_OUTPUT_BYTES = 4 * 1024 * 1024;

/** Samples of a machine without /proc, until this program is ended. Nothing is waited for: what is slow is told when it has come. */
export async function poll(options: PollOptions): Promise<never> {
  const { intervalMs, tell } = options;
  const sources = openSources(options);
  await Promise.race([sources.first(), later(FIRST_MS)]);
  let before: readonly CpuTimes[] | null = null;
  let detailAt = -Infinity;
  for (;;) {
    const cores = coreTimes();
    tell({ sample: { ...shares(before, cores), ...sources.sample() } });
    before = cores;
    if (performance.now() - detailAt >= Math.max(OFTEN_MS, 2 * intervalMs) - intervalMs / 2) {
      detailAt = performance.now();
      tell({ detail: sources.detail() });
    }
    await later(intervalMs);
  }
}

function openSources({ platform, dataFolder, intervalMs }: PollOptions) {
  const mac = platform === 'darwin';
  const windows = platform === 'win32';
  const often = Math.max(OFTEN_MS, intervalMs);
  const nowAndThen = Math.max(NOW_AND_THEN_MS, 2 * intervalMs);
  const home = os.homedir();
  let netBefore: { readonly at: number; readonly reading: NetReading } | null = null;
  const processes = openPortableProcesses(run, process.ppid);
  const disks = openDisks(modelFolders(process.env, platform, home, dataFolder), systemClock);
  const all = {
    macMemory: asked(often, mac, () => printed('vm_stat', [], parseVmStat)),
    macState: asked(nowAndThen, mac, () =>
      printed('sysctl', ['-n', 'kern.memorystatus_vm_pressure_level', 'vm.swapusage'], parseMacMemoryState),
    ),
    // A PowerShell for each question is too much on Windows.
    otherMemory: asked(often, !mac && !windows, () => si.mem()),
    net: asked(often, !windows, () => (mac ? macNet() : otherNet())),
    diskFree: asked(RARELY_MS, true, async () => {
      const stat = await fs.promises.statfs(dataFolder ?? home);
      // Without blocks it tells nothing.
      return stat.blocks > 0 ? stat.bavail * stat.bsize : null;
    }),
    disks: asked(RARELY_MS, true, () => disks.read()),
    battery: asked(BATTERY_MS, true, () => (mac ? printed('pmset', ['-g', 'batt'], parsePmset) : battery())),
    found: asked(RARELY_MS, mac, async () => {
      await processes.find();
      return true;
    }),
    processes: asked(nowAndThen, mac, () => processes.sample()),
  };

  return {
    first: () => Promise.all(Object.values(all).map((each) => each.first)),
    sample: (): Omit<MachineSample, 'cpu' | 'cores'> => {
      const state = all.macState.value();
      const other = all.otherMemory.value();
      const used = windows ? os.totalmem() - os.freemem() : (all.macMemory.value() ?? other?.active ?? null);
      return {
        memoryUsedBytes: used,
        memoryTotalBytes: os.totalmem(),
        memoryLimited: false,
        swapUsedBytes: state?.swapUsedBytes ?? other?.swapused ?? null,
        swapTotalBytes: state?.swapTotalBytes ?? other?.swaptotal ?? null,
        load1: load(0),
        diskFreeBytes: all.diskFree.value(),
        ...(all.net.value() ?? NO_RATES),
      };
    },
    detail(): MachineDetail {
      const level = all.macState.value()?.level ?? null;
      all.found.value();
      return {
        pressure: level === null ? null : { ...NO_SHARES, level },
        load5: load(1),
        load15: load(2),
        ioWait: null,
        coresAllowed: null,
        temperatures: [],
        battery: all.battery.value(),
        disks: all.disks.value() ?? [],
        processes: all.processes.value(),
        oomKills: null,
      };
    },
  };

  /** Windows has no load average and says 0. */
  function load(at: number): number | null {
    return windows ? null : (os.loadavg()[at] ?? null);
  }

  async function macNet(): Promise<NetRates | null> {
    const reading = await printed('netstat', ['-ibn'], parseNetstat);
    const at = performance.now();
    const rates = netBefore ? netRates(netBefore.reading, reading, (at - netBefore.at) / 1000) : null;
    netBefore = reading && { at, reading };
    return rates;
  }
}

const NO_RATES: NetRates = { netReceivedPerSecond: null, netSentPerSecond: null };
const NO_SHARES = { cpuSome: null, memorySome: null, memoryFull: null, ioSome: null } as const;

async function otherNet(): Promise<NetRates | null> {
  const [told] = await si.networkStats();
  const known = (rate: number | undefined): number | null =>
    typeof rate === 'number' && rate >= 0 ? rate : null;
  return { netReceivedPerSecond: known(told?.rx_sec), netSentPerSecond: known(told?.tx_sec) };
}

async function battery(): Promise<Battery | null> {
  const told = await si.battery();
  if (!told.hasBattery) return null;
  // 0 is what it says where it does not know.
  const charge = told.percent > 0 && told.percent <= 100 ? told.percent / 100 : null;
  return { charge, charging: told.isCharging, powerW: null, mains: told.acConnected };
}

interface Asked<T> {
  /** The last answer, when it is no older than three rounds; asks again in the background when it is time. */
  value(): T | null;
  /** The first answer has come, or the first question has failed. */
  readonly first: Promise<void>;
}

/** Never two questions of one kind at once. */
function asked<T>(everyMs: number, wanted: boolean, ask: () => Promise<T | null>): Asked<T> {
  let last: { readonly at: number; readonly value: T | null } | null = null;
  let askedAt = -Infinity;
  let asking = false;
  async function round(): Promise<void> {
    asking = true;
    askedAt = performance.now();
    const value = await ask().catch(() => null);
    last = { at: performance.now(), value };
    asking = false;
  }
  return {
    first: wanted ? round() : Promise.resolve(),
    value() {
      if (wanted && !asking && performance.now() - askedAt >= everyMs) void round();
      return last && performance.now() - last.at < 3 * everyMs + PROGRAM_MS ? last.value : null;
    },
  };
}

async function printed<T>(
  file: string,
  args: readonly string[],
  parse: (text: string) => T | null,
): Promise<T | null> {
  const text = await run(file, args);
  return text === null ? null : parse(text);
}

/** What it printed, also when it complained (sysctl does about one name and tells the others); null when it cannot be run or hangs. */
function run(file: string, args: readonly string[]): Promise<string | null> {
  const limits = { timeout: PROGRAM_MS, killSignal: 'SIGKILL', maxBuffer: MOST_OUTPUT_BYTES } as const;
  const env = { ...process.env, LC_ALL: 'C' };
  return new Promise((resolve) => {
    execFile(file, [...args], { ...limits, env, windowsHide: true }, (_error, stdout) =>
      resolve(stdout === '' ? null : stdout),
    );
  });
}

interface CpuTimes {
  readonly total: number;
  readonly busy: number;
}

function coreTimes(): CpuTimes[] {
  return os.cpus().map(({ times }) => {
    const busy = times.user + times.nice + times.sys + times.irq;
    return { busy, total: busy + times.idle };
  });
}

function shares(
  before: readonly CpuTimes[] | null,
  now: readonly CpuTimes[],
): Pick<MachineSample, 'cpu' | 'cores'> {
  if (!before || before.length !== now.length) return { cpu: null, cores: null };
  const cores = now.map((core, i) => share(before[i], core));
  const known = cores.filter((core) => core !== null);
  return { cpu: share(sum(before), sum(now)), cores: known.length === cores.length ? known : null };
}

function sum(cores: readonly CpuTimes[]): CpuTimes {
  return cores.reduce((all, core) => ({ busy: all.busy + core.busy, total: all.total + core.total }), {
    busy: 0,
    total: 0,
  });
}

function share(before: CpuTimes | undefined, now: CpuTimes): number | null {
  if (!before || now.total <= before.total) return null;
  return Math.min(1, Math.max(0, (now.busy - before.busy) / (now.total - before.total)));
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
