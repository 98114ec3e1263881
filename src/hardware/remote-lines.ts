import type { DiskSpace, GpuSample, MachineDetail, MachineFacts, MachineSample } from '../domain/hardware.js';
import { amdCard } from './amd-card.js';
import { parseIoreg, parseMemoryLimit } from './apple-rows.js';
import { readCpu } from './cpu.js';
import { readMemory } from './memory.js';
import { readNet } from './network.js';
import { asleepCard, NO_READINGS_OF_CARD } from './no-readings.js';
import { readPressure } from './pressure.js';
import { numberAfter, type ProcFiles } from './proc-files.js';
import { decimal } from './read-values.js';
import { ratesBetween, type Counters } from './remote-rates.js';
import { MARK } from './remote-script.js';

/** What a line of the loop on the other machine was. */
export type LineKind =
  | { readonly type: 'hello' }
  | { readonly type: 'tick'; readonly tick: Tick }
  | { readonly type: 'nvidia'; readonly row: string }
  | { readonly type: 'nvidia-asleep' }
  | { readonly type: 'nvidia-end' }
  | { readonly type: 'part' };

export interface Tick {
  readonly sample: MachineSample | null;
  readonly detail: MachineDetail | null;
  readonly facts: MachineFacts;
  readonly gpus: readonly GpuSample[];
}

export interface RemoteLines {
  take(line: string): LineKind;
}

const MOST_LINES = 4096;
const MOST_CARDS = 16;
/** Linux counts in hundredths of a second on all machines that people have. */
const TICKS_PER_SECOND = 100;

/** Gathers the lines of a tick; whatever it does not understand it leaves out. */
export function createRemoteLines(): RemoteLines {
  const facts = new Map<string, string>();
  let files = new Map<string, string[]>();
  let plain: string[] = [];
  let cards = new Map<string, Map<string, string> | null>();
  let card: Map<string, string> | null = null;
  let disks: DiskSpace[] = [];
  let lines = 0;
  let before: Counters | null = null;
  let greeted = false;

  function takeMarked(word: string, rest: string): LineKind {
    switch (word) {
      case 'hello':
        greeted = true;
        return { type: 'hello' };
      case 'tick': {
        const tick = endTick();
        files = new Map();
        plain = [];
        cards = new Map();
        card = null;
        lines = 0;
        return { type: 'tick', tick };
      }
      case 'nvidia':
        return { type: 'nvidia', row: rest };
      case 'nvidia-asleep':
      case 'nvidia-end':
        return { type: word };
      case 'amd':
      case 'amd-asleep':
        if (cards.size < MOST_CARDS) {
          card = word === 'amd' ? new Map<string, string>() : null;
          cards.set(rest.split('/').at(-1) ?? rest, card);
        }
        return { type: 'part' };
      case 'disk':
        disks = withDisk(disks, rest);
        return { type: 'part' };
      default:
        if (/^(?:system|machine|os|processor)$/.test(word)) facts.set(word, rest.slice(0, 200));
        return { type: 'part' };
    }
  }

  function endTick(): Tick {
    const proc: ProcFiles = { read: (file) => files.get(`/${file}`)?.join('\n') ?? null, reads: 0 };
    const stat = proc.read('proc/stat');
    const isMac = stat === null;
    const linux = isMac ? null : linuxReading(proc, stat, before, disks);
    before = linux?.counters ?? null;
    const text = plain.join('\n');
    const sample = isMac ? macSample(text, disks) : (linux?.sample ?? null);
    const cores = linux?.counters.cpu ? linux.counters.cpu.size - 1 : null;
    const gpus = [...cards].map(([place, texts], index) =>
      texts === null ? asleepCard(`amd-${place}`, index, 'AMD GPU') : amdCard(texts, place, index),
    );
    return {
      sample,
      detail: linux?.detail ?? null,
      facts: factsOf(facts, cores, sample?.memoryTotalBytes ?? null),
      gpus: isMac ? macGpus(text) : gpus,
    };
  }

  return {
    take(line) {
      if (line.startsWith(`${MARK} `)) {
        const [, word = '', ...rest] = line.split(' ');
        return takeMarked(word, rest.join(' ').trim());
      }
      // Before it greets, what comes is a greeting of the other machine.
      if (!greeted || ++lines > MOST_LINES) return { type: 'part' };
      const named = /^(\/proc\/[\w/]+):(.*)$/.exec(line);
      const [, file, text] = named ?? [];
      const ofCard = card && /^(?:(hwmon\/)[^/:]+\/)?([\w]+):(.*)$/.exec(line);
      if (file !== undefined && text !== undefined) {
        const all = files.get(file) ?? [];
        all.push(text);
        files.set(file, all);
      } else if (card && ofCard) card.set(`${ofCard[1] ?? ''}${ofCard[2] ?? ''}`, (ofCard[3] ?? '').trim());
      else plain.push(line);
      return { type: 'part' };
    },
  };
}

function linuxReading(
  proc: ProcFiles,
  stat: string,
  before: Counters | null,
  disks: readonly DiskSpace[],
): { readonly counters: Counters; readonly sample: MachineSample; readonly detail: MachineDetail } {
  const uptime = Number.parseFloat(proc.read('proc/uptime') ?? '');
  const counters: Counters = {
    atSeconds: Number.isFinite(uptime) ? uptime : 0,
    cpu: readCpu(stat),
    net: readNet(proc.read('proc/net/dev') ?? ''),
    ticksPerSecond: TICKS_PER_SECOND,
  };
  const load = (proc.read('proc/loadavg') ?? '').split(' ');
  return {
    counters,
    sample: {
      ...ratesBetween(before, counters),
      ...readMemory(proc),
      load1: decimal(load[0]),
      diskFreeBytes: disks.at(-1)?.freeBytes ?? null,
    },
    detail: {
      pressure: readPressure(proc, null),
      load5: decimal(load[1]),
      load15: decimal(load[2]),
      ioWait: null,
      coresAllowed: null,
      temperatures: [],
      battery: null,
      disks,
      processes: null,
      oomKills: numberAfter(proc.read('proc/vmstat') ?? '', 'oom_kill '),
    },
  };
}

/** `vm_stat` and `sysctl` of macOS: used is what Activity Monitor calls so. */
function macSample(text: string, disks: readonly DiskSpace[]): MachineSample | null {
  const pageBytes = numberIn(text, /page size of (\d+) bytes/);
  const pages = (name: string): number | null => numberIn(text, new RegExp(`^${name}: +(\\d+)\\.`, 'm'));
  const total = numberIn(text, /^hw\.memsize: (\d+)$/m);
  if (pageBytes === null && total === null) return null;
  const parts = [pages('Anonymous pages'), pages('Pages wired down'), pages('Pages occupied by compressor')];
  const used = parts.includes(null) ? null : parts.reduce<number>((sum, part) => sum + (part ?? 0), 0);
  const swap = (word: string): number | null => {
    const megabytes = numberIn(text, new RegExp(`^vm\\.swapusage:.*\\b${word} = (\\d+(?:\\.\\d+)?)M`, 'm'));
    return megabytes === null ? null : megabytes * 1024 * 1024;
  };
  return {
    cpu: null,
    cores: null,
    memoryUsedBytes:
      used === null || pageBytes === null
        ? null
        : Math.max(0, used - (pages('Pages purgeable') ?? 0)) * pageBytes,
    memoryTotalBytes: total,
    memoryLimited: false,
    swapUsedBytes: swap('used'),
    swapTotalBytes: swap('total'),
    load1: numberIn(text, /^vm\.loadavg: \{ (\d+(?:\.\d+)?)/m),
    diskFreeBytes: disks.at(-1)?.freeBytes ?? null,
    netReceivedPerSecond: null,
    netSentPerSecond: null,
  };
}

function macGpus(text: string): readonly GpuSample[] {
  const reading = parseIoreg(text);
  if (!reading) return [];
  return [
    {
      ...NO_READINGS_OF_CARD,
      id: 'apple',
      index: 0,
      name: 'Apple GPU',
      ...reading,
      memoryTotalBytes: parseMemoryLimit(text),
      shared: true,
    },
  ];
}

function factsOf(
  told: ReadonlyMap<string, string>,
  cores: number | null,
  memoryBytes: number | null,
): MachineFacts {
  const name = (told.get('os') ?? '')
    .replace(/^PRETTY_NAME=/, '')
    .replace(/^"(.*)"$/, '$1')
    .trim();
  const system = [name || told.get('system'), told.get('machine')].filter((part) => part).join(' ');
  const processor = (told.get('processor') ?? '').replace(/^model name\s*:\s*/, '');
  return { system: system || null, processor: processor || null, cores, memoryBytes, gpus: [] };
}

/** `total free place` in kilobytes; a place that is told again is the newer one. */
function withDisk(disks: readonly DiskSpace[], text: string): DiskSpace[] {
  const found = /^(\d+) (\d+) (\/.*)$/.exec(text);
  if (!found) return [...disks];
  const [, total, free, path = ''] = found;
  const others = disks.filter((disk) => disk.path !== path);
  return [...others, { path, freeBytes: Number(free) * 1024, totalBytes: Number(total) * 1024 }].slice(-8);
}

function numberIn(text: string, pattern: RegExp): number | null {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? null : Number(found);
}
