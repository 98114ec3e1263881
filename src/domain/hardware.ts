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
}

/** Facts that do not change while the program runs. */
export interface MachineFacts {
  readonly system: string | null;
  readonly processor: string | null;
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly gpus: readonly string[];
}

/** The life of one source of readings. */
export type SourceState =
  | { readonly state: 'unknown' }
  | { readonly state: 'probing' }
  | { readonly state: 'live' }
  | { readonly state: 'absent' }
  | { readonly state: 'failed'; readonly reason: string };
