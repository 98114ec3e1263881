import TransportStream from 'winston-transport';
import type { LogLevel, LogLine } from '../domain/log.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { textOfRecord } from './record.js';

/** Lines that wait for the next batch; more are counted and dropped: the file has them. */
const MOST_WAITING = 2000;
const BATCH_MS = 100;

/** Receives own log lines for the log pane. `skipped` lines came before them and were dropped. */
export type TakeLines = (lines: readonly LogLine[], skipped: number) => void;

/** A winston transport that hands our own log to the dashboard, in batches so that a burst costs few events. */
export class BusTransport extends TransportStream {
  private waiting: LogLine[] = [];
  private skipped = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly take: TakeLines) {
    super();
  }

  override log(info: unknown, next: () => void): void {
    if (this.waiting.length >= MOST_WAITING) this.skipped++;
    else this.waiting.push(lineOf(info as Readonly<Record<string, unknown>>));
    if (!this.timer) {
      this.timer = setTimeout(() => this.flush(), BATCH_MS);
      this.timer.unref();
    }
    next();
  }

  /** Hands over what waits, now. */
  flush(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.waiting.length === 0 && this.skipped === 0) return;
    const { waiting, skipped } = this;
    this.waiting = [];
    this.skipped = 0;
    this.take(waiting, skipped);
  }

  override close(): void {
    this.flush();
  }
}

function lineOf(info: Readonly<Record<string, unknown>>): LogLine {
  const { time, level, message, ...fields } = info;
  const at = Date.parse(String(time));
  return {
    at: Number.isNaN(at) ? null : at,
    level: level as LogLevel,
    source: 'lmapp',
    text: sanitizeLine(textOfRecord(String(message), fields)),
  };
}
