import { NO_DETAIL, type MachineDetail, type ServerLoad } from '../domain/hardware.js';
import { averageOf, sumOf, type Sample } from '../wire/prometheus.js';

/** Where a model server tells the same on its page of metrics; several names: of its versions, newest first. */
interface ServerMetrics {
  readonly name: string;
  readonly running: string;
  readonly waiting: string;
  readonly cacheUsed: readonly string[];
  readonly answered: string;
  readonly prompted: string;
  /** Its counters move only when an answer has ended: while one runs, no difference does not mean no speed. */
  readonly countsAtEnd: boolean;
}

const SERVERS: readonly ServerMetrics[] = [
  {
    name: 'llama.cpp',
    running: 'llamacpp:requests_processing',
    waiting: 'llamacpp:requests_deferred',
    cacheUsed: ['llamacpp:kv_cache_usage_ratio'],
    answered: 'llamacpp:tokens_predicted_total',
    prompted: 'llamacpp:prompt_tokens_total',
    countsAtEnd: true,
  },
  {
    name: 'vLLM',
    running: 'vllm:num_requests_running',
    waiting: 'vllm:num_requests_waiting',
    cacheUsed: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'],
    answered: 'vllm:generation_tokens_total',
    prompted: 'vllm:prompt_tokens_total',
    countsAtEnd: false,
  },
];

export const SERVER_NAMES: readonly string[] = SERVERS.flatMap((server) => [
  server.running,
  server.waiting,
  ...server.cacheUsed,
  server.answered,
  server.prompted,
]);

/** Tokens so far, by name of the metric. */
export type ServerLook = ReadonlyMap<string, number>;

const SHORTEST_S = 0.9;

/** The model servers on a page of metrics; speeds are over the `seconds` since `before`. */
export function readServers(
  samples: readonly Sample[],
  before: ServerLook | null,
  seconds: number,
): { readonly servers: readonly ServerLoad[]; readonly look: ServerLook } {
  const look = new Map<string, number>();
  const speed = (metric: string): number | null => {
    const count = sumOf(samples, metric);
    if (count === null) return null;
    look.set(metric, count);
    const was = before?.get(metric);
    return was === undefined || count < was || seconds < SHORTEST_S ? null : (count - was) / seconds;
  };
  const servers = SERVERS.flatMap((server): ServerLoad[] => {
    const running = countOf(sumOf(samples, server.running));
    const moves = (perSecond: number | null): number | null =>
      server.countsAtEnd && perSecond === 0 && running !== 0 ? null : perSecond;
    const cacheUsed = server.cacheUsed
      .map((name) => averageOf(samples, name))
      .find((value) => value !== null);
    const load: ServerLoad = {
      name: server.name,
      running,
      waiting: countOf(sumOf(samples, server.waiting)),
      cacheUsed:
        cacheUsed !== undefined && cacheUsed !== null && cacheUsed >= 0 && cacheUsed <= 1 ? cacheUsed : null,
      answerPerSecond: moves(speed(server.answered)),
      promptPerSecond: moves(speed(server.prompted)),
    };
    const tells = [running, load.waiting, load.cacheUsed].some((value) => value !== null);
    return tells ? [load] : [];
  });
  return { servers, look };
}

/** What is known of a machine of which only model servers tell. */
export function detailOfServers(servers: readonly ServerLoad[]): MachineDetail {
  return { ...NO_DETAIL, servers };
}

function countOf(value: number | null): number | null {
  return value !== null && value >= 0 ? value : null;
}
