import type { GpuSample, MachineDetail, MachineSample } from '../domain/hardware.js';
import type { Clock } from '../ports.js';
import { NO_READINGS_OF_CARD } from './no-readings.js';
import type { ProbeReport } from './probe.js';

export interface ReportMerge {
  take(report: ProbeReport, source: string): void;
  stop(): void;
}

/** So long the last readings of a source that failed stand beside its reason; then the card is shown without any. */
const FADE_MS = 10_000;

/**
 * Several sources of one machine, cards of several makers for example, make one list and one sample. It is told when the first of the
 * sources that live tells, so that histories get one value per interval; what the others know is in it. Cards keep their order of first
 * appearance, and with it their numbers.
 */
export function mergeReports(
  clock: Clock,
  report: (report: ProbeReport, source: string) => void,
): ReportMerge {
  const gpus = new Parts<readonly GpuSample[]>((parts) => {
    report({ type: 'gpus', gpus: mergedGpus(parts) }, 'gpus');
  });
  const machine = new Parts<MachineSample>((parts) => {
    const sample = parts.reduce(mergedSample);
    report({ type: 'machine', sample }, 'machine');
  });
  const detail = new Parts<MachineDetail>((parts) => {
    report({ type: 'detail', detail: parts.reduce(mergedDetail) }, 'detail');
  });
  const fading = new Map<string, () => void>();

  function fade(source: string): void {
    fading.get(source)?.();
    fading.set(
      source,
      clock.after(FADE_MS, () => {
        fading.delete(source);
        gpus.change(source, (cards) => cards.map(withoutReadings));
      }),
    );
  }

  return {
    take(told, source) {
      if (told.type === 'gpus') {
        fading.get(source)?.();
        fading.delete(source);
        return gpus.put(source, told.gpus);
      }
      if (told.type === 'machine') return machine.put(source, told.sample);
      if (told.type === 'detail') return detail.put(source, told.detail);
      if (told.type === 'state') {
        const { state } = told.state;
        if (state === 'absent') gpus.change(source, () => []);
        // A server that does not answer any more does not work on two requests.
        if (state === 'failed')
          detail.change(source, (known) => (known.servers ? { ...known, servers: [] } : known));
        if (state === 'failed') fade(source);
        if (state === 'failed' || state === 'stale' || state === 'absent') {
          gpus.yield(source);
          if (state !== 'absent')
            gpus.change(source, (cards) => cards.map((card) => ({ ...card, stale: true })));
          machine.yield(source);
          detail.yield(source);
        }
      }
      report(told, source);
    },
    stop() {
      for (const cancel of fading.values()) cancel();
      fading.clear();
    },
  };
}

/** What each source told last, in the order in which they came. */
class Parts<T> {
  readonly #parts = new Map<string, T>();
  readonly #tell: (parts: readonly T[]) => void;
  #leader: string | null = null;

  constructor(tell: (parts: readonly T[]) => void) {
    this.#tell = tell;
  }

  put(source: string, part: T): void {
    const isNew = !this.#parts.has(source);
    this.#parts.set(source, part);
    this.#leader ??= source;
    if (this.#leader === source || isNew) this.#tell([...this.#parts.values()]);
  }

  /** Changes what a source told, if it told something. */
  change(source: string, change: (part: T) => T): void {
    const part = this.#parts.get(source);
    if (part === undefined) return;
    this.#parts.set(source, change(part));
    this.#tell([...this.#parts.values()]);
  }

  /** The source does not tell now: another one leads. */
  yield(source: string): void {
    if (this.#leader === source) this.#leader = null;
  }
}

function mergedGpus(parts: readonly (readonly GpuSample[])[]): readonly GpuSample[] {
  const merged = new Map<string, GpuSample>();
  let offset = 0;
  for (const part of parts) {
    let highest = -1;
    for (const gpu of part) {
      const known = merged.get(gpu.id);
      if (known) merged.set(gpu.id, ofBoth(known, gpu));
      else {
        merged.set(gpu.id, { ...gpu, index: gpu.index + offset });
        highest = Math.max(highest, gpu.index);
      }
    }
    offset += highest + 1;
  }
  return [...merged.values()];
}

/** A card of which two sources tell; one that does not answer any more only fills in. */
function ofBoth(a: GpuSample, b: GpuSample): GpuSample {
  if (a.stale === b.stale) return filled(a, b);
  const { stale: _, ...both } = a.stale === true ? { ...filled(b, a), index: a.index } : filled(a, b);
  return both;
}

/** Several sources that know different things about the whole machine. */
function mergedSample(a: MachineSample, b: MachineSample): MachineSample {
  return { ...filled(a, b), memoryLimited: a.memoryTotalBytes === null ? b.memoryLimited : a.memoryLimited };
}

/** A list without rows is not told. */
function mergedDetail(a: MachineDetail, b: MachineDetail): MachineDetail {
  const told = Object.entries(a).filter(
    ([, value]: readonly [string, unknown]) =>
      value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0),
  );
  const servers = [...(a.servers ?? []), ...(b.servers ?? [])];
  return { ...a, ...b, ...Object.fromEntries(told), ...((a.servers ?? b.servers) && { servers }) };
}

/** What `a` does not know, from `b`. */
function filled<T extends object>(a: T, b: T): T {
  const known = Object.entries(a).filter(([, value]) => value !== null && value !== undefined);
  return { ...a, ...b, ...Object.fromEntries(known) };
}

function withoutReadings(gpu: GpuSample): GpuSample {
  const { id, index, name, shared, note } = gpu;
  return {
    id,
    index,
    name,
    ...NO_READINGS_OF_CARD,
    ...(shared && { shared }),
    ...(typeof note === 'string' && { note }),
  };
}
