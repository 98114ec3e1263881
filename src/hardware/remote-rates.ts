import { cpuShares, type CpuReading, type CpuShares } from './cpu.js';
import { netRates, type NetRates, type NetReading } from './network.js';

/** Counters of a machine elsewhere at one moment of it. */
export interface Counters {
  /** A clock of either machine that does not jump. */
  readonly atSeconds: number;
  readonly cpu: CpuReading | null;
  readonly net: NetReading | null;
  /** Ticks of `cpu` in a second of one core; null: not told. */
  readonly ticksPerSecond: number | null;
}

export type Rates = CpuShares & NetRates;

const NOTHING: Rates = { cpu: null, cores: null, netReceivedPerSecond: null, netSentPerSecond: null };
const SHORTEST_S = 0.9;
const LONGEST_S = 60;
/** Counters that moved by less of the time that passed were served from a cache or of a machine that slept. */
const LEAST_SHARE = 0.5;

/** Shares and speeds between two looks; null, never 0, where the two do not tell: too near, too far, begun anew, other processors. */
export function ratesBetween(before: Counters | null, now: Counters): Rates {
  const seconds = before ? now.atSeconds - before.atSeconds : 0;
  if (!before || seconds < SHORTEST_S || seconds > LONGEST_S) return NOTHING;
  const net = netRates(before.net, now.net, seconds);
  return { ...sharesBetween(before, now, seconds), ...net };
}

function sharesBetween(before: Counters, now: Counters, seconds: number): CpuShares {
  const nothing = { cpu: null, cores: null };
  if (!before.cpu || !now.cpu || before.cpu.size !== now.cpu.size) return nothing;
  for (const [name, ticks] of now.cpu) {
    const was = before.cpu.get(name);
    if (!was || ticks.total < was.total) return nothing;
  }
  const cores = now.cpu.size - 1;
  const passed = (now.cpu.get('')?.total ?? 0) - (before.cpu.get('')?.total ?? 0);
  if (now.ticksPerSecond !== null && passed < LEAST_SHARE * cores * seconds * now.ticksPerSecond)
    return nothing;
  return cpuShares(before.cpu, now.cpu);
}
