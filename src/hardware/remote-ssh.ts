import type { GpuSample, SourceState } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import type { ChildEnd } from './child-lines.js';
import { findExecutable } from './executable.js';
import { createLineSource, type LineSourceTiming } from './line-source.js';
import { asleepCard, NO_READINGS_OF_CARD } from './no-readings.js';
import {
  COMMON_FIELDS,
  FULL_FIELDS,
  MINIMAL_FIELDS,
  parseGpuRow,
  stateOfEnd,
  withoutWakeUp,
  withSharedMemory,
} from './nvidia-rows.js';
import type { Probe, ProbeReport } from './probe.js';
import { createRemoteLines, type RemoteLines } from './remote-lines.js';
import { remoteScript } from './remote-script.js';

export interface SshProbeOptions {
  readonly ports: Ports;
  /** As it is given to ssh; checked already. */
  readonly host: string;
  readonly timing?: Partial<LineSourceTiming>;
  /** Instead of LEAST_SECONDS. */
  readonly leastSeconds?: number;
}

const TIMING: LineSourceTiming = { firstAnswerMs: 20_000, staleMs: 6000, silenceMs: 20_000 };
/** A connection and a look at the other machine are not for nothing. */
const LEAST_SECONDS = 2;
/** No password, no question: nobody could answer it here. A dead link is noticed after 15 s. */
const OPTIONS: readonly string[] = [
  'BatchMode=yes',
  'ConnectTimeout=5',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=2',
].flatMap((option) => ['-o', option]);
const FIELD_COUNTS = [FULL_FIELDS, COMMON_FIELDS, MINIMAL_FIELDS].map((fields) => fields.split(',').length);
const MOST_CARDS = 64;
/** So many ticks without nvidia-smi, at least, and its readings count as old; after so many times that they are gone. */
const QUIET_TICKS = 3;
const FADED = 4;

/** Readings of a machine elsewhere over one long-lived `ssh HOST sh -s`, which is given a small loop; nothing is installed there. */
export function createSshProbe(options: SshProbeOptions): Probe {
  const { ports, host, leastSeconds = LEAST_SECONDS } = options;
  const timing = { ...TIMING, ...options.timing };
  let report: (report: ProbeReport) => void = () => undefined;
  let seconds = leastSeconds;
  let lines: RemoteLines = createRemoteLines();
  let toldFacts = false;
  let machineBytes: number | null = null;
  /** NVIDIA cards as they were told since the last tick. */
  let nvidia = new Map<string, GpuSample>();
  let seen = new Set<string>();
  let complaints: string[] = [];
  let nvidiaState = '';
  /** Ticks since nvidia-smi said something; null: it is not expected to. */
  let quietTicks: number | null = null;

  const source = createLineSource({
    ports,
    name: host,
    timing,
    tell: (state) => report({ type: 'state', state }),
    command() {
      const file = findExecutable('ssh', ports.env, ports.platform);
      if (file === null) return 'absent';
      lines = createRemoteLines();
      toldFacts = false;
      nvidia = new Map();
      seen = new Set();
      complaints = [];
      nvidiaState = '';
      quietTicks = null;
      return { file, args: ['-T', ...OPTIONS, '--', host, 'sh -s'], input: remoteScript(seconds) };
    },
    onLine(line) {
      const read = lines.take(line);
      switch (read.type) {
        case 'tick': {
          const { sample, detail, facts, gpus } = read.tick;
          if (!sample && gpus.length === 0) return 'noise';
          machineBytes = facts.memoryBytes;
          if (!toldFacts) report({ type: 'facts', facts });
          toldFacts = true;
          if (sample) report({ type: 'machine', sample });
          if (detail) report({ type: 'detail', detail });
          ageNvidia();
          const cards = [
            ...nvidia.values(),
            ...gpus.map((gpu) => ({ ...gpu, index: gpu.index + nvidia.size })),
          ];
          if (cards.length > 0) report({ type: 'gpus', gpus: cards });
          return 'answer';
        }
        case 'nvidia':
          takeNvidia(read.row);
          return 'other';
        case 'nvidia-end':
          endNvidia();
          return 'other';
        case 'nvidia-asleep':
          quietTicks = null;
          nvidia = new Map(
            (nvidia.size > 0 ? [...nvidia.values()] : [{ id: 'nvidia', index: 0, name: 'NVIDIA GPU' }]).map(
              ({ id, index, name }) => [id, asleepCard(id, index, name)],
            ),
          );
          return 'other';
        default:
          return 'other';
      }
    },
    onEnd: (end) => meaningOf(end, host),
  });

  function takeNvidia(row: string): void {
    // A name with a comma makes more cells.
    const cells = row.split(',').length;
    const count = FIELD_COUNTS.find((each) => each <= cells);
    const gpu = count === undefined ? null : parseGpuRow(row, count);
    if (!gpu) {
      complaints = [...complaints.slice(-8), row];
      return;
    }
    complaints = [];
    quietTicks = 0;
    // The card that was asleep has a name now.
    nvidia.delete('nvidia');
    if (nvidia.size >= MOST_CARDS && !nvidia.has(gpu.id)) return;
    const awake = seen.has(gpu.id) ? gpu : withoutWakeUp(gpu);
    seen.add(gpu.id);
    nvidia.set(
      gpu.id,
      withSharedMemory(awake, () => machineBytes),
    );
    tellNvidia({ state: 'live' });
  }

  function endNvidia(): void {
    const state = stateOfEnd({ exitCode: null, signal: null, code: null, lastLines: complaints });
    // Without a known word and without a card it was a refused list of fields, after which the next one is tried.
    const isKnown = state.state === 'absent' || !state.reason.startsWith('nvidia-smi ended');
    if (isKnown) tellNvidia(state);
    else if (nvidia.size > 0) tellNvidia({ state: 'failed', reason: 'nvidia-smi ended there' });
    complaints = [];
    quietTicks = null;
    nvidia = new Map();
  }

  /** The machine answers, nvidia-smi does not: what its cards told last grows old, and then is nothing any more. */
  function ageNvidia(): void {
    if (quietTicks === null) return;
    quietTicks++;
    const quietMs = 1000 * seconds * quietTicks;
    const limitMs = Math.max(timing.staleMs, QUIET_TICKS * 1000 * seconds);
    if (quietMs <= limitMs) return;
    const faded = quietMs > FADED * limitMs;
    for (const [id, card] of nvidia)
      nvidia.set(id, { ...card, ...(faded && NO_READINGS_OF_CARD), stale: true });
    tellNvidia(
      faded
        ? { state: 'failed', reason: 'nvidia-smi does not answer' }
        : { state: 'stale', reason: `no answer for ${Math.round(limitMs / 1000)} s` },
    );
  }

  function tellNvidia(state: SourceState): void {
    const words = JSON.stringify(state);
    if (words === nvidiaState) return;
    nvidiaState = words;
    report({ type: 'state', source: 'nvidia', state });
  }

  return {
    id: 'ssh',
    start(intervalMs, to) {
      report = to;
      seconds = Math.max(leastSeconds, Math.round(intervalMs / 1000));
      source.start(1000 * seconds);
    },
    stop: () => source.stop(),
  };
}

/** What ssh says at its end, and what to do about it. */
function meaningOf(end: ChildEnd, host: string): Extract<SourceState, { readonly state: 'failed' }> {
  const words = end.lastLines.join('\n');
  const failed = (reason: string, hint?: string) => ({
    state: 'failed' as const,
    reason,
    ...(hint !== undefined && { hint }),
  });
  if (end.code !== null) return failed(`ssh cannot be run (${end.code})`);
  for (const [pattern, reason, hint] of ENDS)
    if (pattern.test(words)) return failed(`${host} ${reason}`, hint.replace('HOST', host));
  if (end.signal !== null) return failed(`ssh was ended (${end.signal})`);
  if (end.exitCode === 255) return failed(`the connection to ${host} was lost`, `try: ssh ${host}`);
  if (end.exitCode === 127 || end.exitCode === 126)
    return failed(`${host} has no POSIX shell`, 'use the address of an exporter there instead');
  return failed(`ssh ended (exit code ${end.exitCode ?? 'unknown'})`, `try: ssh ${host} sh -s`);
}

const ENDS: readonly (readonly [pattern: RegExp, reason: string, hint: string])[] = [
  [/host key verification failed/i, 'is not a known host', 'connect once by hand: ssh HOST'],
  [
    /remote host identification has changed/i,
    'has another key than before',
    'connect once by hand: ssh HOST',
  ],
  [/permission denied/i, 'lets nobody in without a password', 'ssh-copy-id HOST, or add your key: ssh-add'],
  [/could not resolve hostname/i, 'is not a known name', 'is it right in `machine`?'],
  [/connection refused/i, 'does not take ssh', 'is sshd running there?'],
  [
    /(?:connection|operation) timed out|no route to host|network is unreachable/i,
    'cannot be reached',
    'is it on?',
  ],
  [/not responding|broken pipe|connection (?:closed|reset)/i, 'does not answer any more', 'is it on?'],
];
