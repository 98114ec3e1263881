import type { Clock } from '../ports.js';
import type { Stamped } from '../events/catalogue.js';

const REPORT_MS = 10_000;

export interface DebugReportOptions {
  readonly clock: Clock;
  readonly write: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Frames painted and events lost so far. */
  readonly counts: () => { readonly frames: number; readonly lost: number };
}

/**
 * With --debug: every ten seconds how many events of each kind there were, how many frames, and what memory and processor were used.
 * Returns what takes in every event.
 */
export function createDebugReport({ clock, write, counts }: DebugReportOptions): (event: Stamped) => void {
  let events = new Map<string, number>();
  let framesBefore = 0;
  let cpuBefore = process.cpuUsage();
  let startedMono = clock.monotonic();
  clock.after(REPORT_MS, report);

  function report(): void {
    const { frames, lost } = counts();
    const ms = clock.monotonic() - startedMono;
    const cpu = process.cpuUsage(cpuBefore);
    write('events', {
      ...Object.fromEntries([...events].sort((a, b) => b[1] - a[1])),
      frames: frames - framesBefore,
      lost,
      ms: Math.round(ms),
      cpuMs: Math.round((cpu.user + cpu.system) / 1000),
      rssMb: Math.round(process.memoryUsage.rss() / 1e6),
    });
    events = new Map();
    framesBefore = frames;
    cpuBefore = process.cpuUsage();
    startedMono = clock.monotonic();
    clock.after(REPORT_MS, report);
  }

  return (event) => void events.set(event.type, (events.get(event.type) ?? 0) + 1);
}
