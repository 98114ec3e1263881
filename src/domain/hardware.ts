/** Readings of the machine. Null is "not told": shown as —, never 0. Ratios are fractions 0..1, memory is in bytes. */
export interface MachineSample {
  /** Busy share of all cores since the last sample (iowait is not busy). */
  readonly cpu: number | null;
  readonly cores: readonly number[] | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  /** The total is a cgroup (container) limit, not the machine's memory. */
  readonly memoryLimited: boolean;
  readonly swapUsedBytes: number | null;
  readonly swapTotalBytes: number | null;
  readonly load1: number | null;
  /** Free bytes where models and chats lie. */
  readonly diskFreeBytes: number | null;
  /** Bytes per second over all interfaces but loopback. */
  readonly netReceivedPerSecond: number | null;
  readonly netSentPerSecond: number | null;
}

/** Readings of one card, by the same rules. */
export interface GpuSample {
  /** Stable identity (uuid). */
  readonly id: string;
  readonly index: number;
  readonly name: string;
  readonly utilization: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
  readonly powerLimitW: number | null;
  readonly fan: number | null;
  /** Absent here and below: this kind of card or source does not tell it. */
  readonly memoryFreeBytes?: number | null;
  readonly clockMHz?: number | null;
  readonly memoryTemperatureC?: number | null;
  /** Why it runs slower than it could: `heat`, `power limit`; null: nothing slows it, or it is not told. */
  readonly slowedBy?: string | null;
  /** It has no memory of its own: memory is a part of the machine's. */
  readonly shared?: boolean;
  /** A word in place of readings: `asleep`, `n/a (MIG)`. */
  readonly note?: string | null;
  readonly processes?: readonly GpuProcess[];
  /** Its source does not answer any more: these are its last readings. */
  readonly stale?: boolean;
}

/** A program that has memory of a GPU. */
export interface GpuProcess {
  readonly pid: number;
  readonly name: string;
  readonly memoryBytes: number | null;
}

/** Readings that change slowly or cost more; told every few seconds. Ratios are fractions 0..1, memory is in bytes. */
export interface MachineDetail {
  readonly pressure: Pressure | null;
  readonly load5: number | null;
  readonly load15: number | null;
  /** Share of the time in which a core waited for a disk. */
  readonly ioWait: number | null;
  /** Cores that a cgroup allows; null: all. */
  readonly coresAllowed: number | null;
  readonly temperatures: readonly Temperature[];
  readonly battery: Battery | null;
  /** Where models lie; one a disk. */
  readonly disks: readonly DiskSpace[];
  /** Of model servers, and this program's own. Null: not told here. */
  readonly processes: readonly ServerProcess[] | null;
  /** Processes that the kernel has killed for want of memory since the machine (or its container) started. */
  readonly oomKills: number | null;
  /** How often a process had to wait at the memory limit of its container so far; null or absent: there is no limit, or no account of it. */
  readonly limitHits?: number | null;
  /** What model servers tell of their work on pages of metrics; absent: no such page is asked. */
  readonly servers?: readonly ServerLoad[];
}

/** A machine of which nothing is told. */
export const NO_SAMPLE: MachineSample = {
  cpu: null,
  cores: null,
  memoryUsedBytes: null,
  memoryTotalBytes: null,
  memoryLimited: false,
  swapUsedBytes: null,
  swapTotalBytes: null,
  load1: null,
  diskFreeBytes: null,
  netReceivedPerSecond: null,
  netSentPerSecond: null,
};

/** The slow readings of such a machine. */
export const NO_DETAIL: MachineDetail = {
  pressure: null,
  load5: null,
  load15: null,
  ioWait: null,
  coresAllowed: null,
  temperatures: [],
  battery: null,
  disks: [],
  processes: null,
  oomKills: null,
};

/** Readings of a model server. Counts are of requests, speeds in tokens per second, `cacheUsed` is a fraction. */
export interface ServerLoad {
  readonly name: string;
  readonly running: number | null;
  readonly waiting: number | null;
  readonly cacheUsed: number | null;
  readonly answerPerSecond: number | null;
  readonly promptPerSecond: number | null;
}

/** Share of the last 10 s in which something (`some`) or everything (`full`) waited: Linux PSI `avg10`. */
export interface Pressure {
  readonly cpuSome: number | null;
  readonly memorySome: number | null;
  readonly memoryFull: number | null;
  readonly ioSome: number | null;
  /** What macOS says in place of shares. */
  readonly level?: 'normal' | 'warning' | 'critical' | null;
}

export interface Temperature {
  /** `CPU package`, `nvme composite`. */
  readonly label: string;
  readonly celsius: number;
}

export interface Battery {
  /** Fraction 0..1. */
  readonly charge: number | null;
  readonly charging: boolean | null;
  /** The mains are connected; absent: not told. */
  readonly mains?: boolean | null;
  readonly powerW: number | null;
}

export interface DiskSpace {
  readonly path: string;
  readonly freeBytes: number | null;
  readonly totalBytes: number | null;
}

export interface ServerProcess {
  readonly pid: number;
  readonly name: string;
  /** Ports on which it listens; empty: none, or another user's process that does not tell them. */
  readonly ports: readonly number[];
  /** The model in its command line: a name, the last part of a path, or the digest of Ollama's store (`sha256-…`). */
  readonly model?: string | null;
  /** 1 is one core. */
  readonly cpu: number | null;
  /** Memory of its own (anonymous and shared), without the mapped files. */
  readonly memoryBytes: number | null;
  /** Mapped files, such as the weights of a model; the kernel may give them back. */
  readonly mappedBytes: number | null;
  /** Both together, where the system does not tell them apart (macOS). */
  readonly residentBytes?: number | null;
}

/** What tells that the memory of this machine is getting short, of a machine whose other readings are not shown. */
export interface MemoryCheck {
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly swapUsedBytes: number | null;
  readonly pressure: Pressure | null;
  readonly oomKills: number | null;
  readonly limitHits: number | null;
}

/** Facts that do not change while the program runs. */
export interface MachineFacts {
  readonly system: string | null;
  readonly processor: string | null;
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly gpus: readonly string[];
}

/** The life of one source of readings. `stale`: it was live and does not tell anything any more, for the reason given. */
export type SourceState =
  | { readonly state: 'unknown' }
  /** `after`: why it failed before it was asked again. */
  | { readonly state: 'probing'; readonly after?: string }
  | { readonly state: 'live' }
  | { readonly state: 'stale'; readonly reason: string }
  | { readonly state: 'absent' }
  | {
      readonly state: 'failed';
      readonly reason: string;
      /** The next step, where there is one. */
      readonly hint?: string;
      /** Epoch ms; absent: it is not tried again by itself. */
      readonly nextTryMs?: number;
    };

/**
 * Names a machine whose readings are shown. `THIS_MACHINE`, or the `machine` of a server's configuration as it stands there:
 * `ssh:gpu-box`, `http://gpu-box:9100/metrics`.
 */
export type MachineId = string;
export const THIS_MACHINE: MachineId = 'local';
