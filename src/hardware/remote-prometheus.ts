import type { Clock } from '../ports.js';
import { Wire } from '../wire/http.js';
import { readText } from '../wire/read.js';
import { WireError } from '../wire/wire-error.js';
import { createAskedSource, type Asked } from './asked-source.js';
import type { Probe, ProbeReport } from './probe.js';
import { readPage, type PageLook } from './remote-pages.js';

export interface PrometheusProbeOptions {
  readonly clock: Clock;
  /** The page of metrics. */
  readonly url: string;
  readonly leastMs?: number;
  readonly timeoutMs?: number;
  readonly backOffMs?: readonly number[];
}

/** Exporters make their pages anew for each question. */
const LEAST_MS = 5000;
const TIMEOUT_MS = 3000;
const LONGEST_PAGE_CHARS = 8 * 1024 * 1024;

/** Readings of a machine elsewhere from a page of Prometheus metrics. */
export function createPrometheusProbe(options: PrometheusProbeOptions): Probe {
  const { clock, url, timeoutMs = TIMEOUT_MS } = options;
  const place = new URL(url).host;
  let wire: Wire | null = null;
  let abort = new AbortController();
  let before: PageLook | null = null;
  let toldFacts = false;
  let report: (report: ProbeReport) => void = () => undefined;
  const source = createAskedSource({
    clock,
    tell: (state) => report({ type: 'state', state }),
    leastMs: options.leastMs ?? LEAST_MS,
    // The request ends itself before.
    timeoutMs: 2 * timeoutMs,
    ...(options.backOffMs && { backOffMs: options.backOffMs }),
    ask,
  });

  async function ask(): Promise<Asked> {
    const text = await page();
    if (typeof text !== 'string') return text;
    const read = readPage(text, before, clock.monotonic() / 1000);
    if ('reason' in read) return read;
    before = read.look;
    if (read.facts && !toldFacts) {
      toldFacts = true;
      report({ type: 'facts', facts: read.facts });
    }
    if (read.sample) report({ type: 'machine', sample: read.sample });
    if (read.detail) report({ type: 'detail', detail: read.detail });
    if (read.gpus.length > 0) report({ type: 'gpus', gpus: read.gpus });
    return 'told';
  }

  async function page(): Promise<string | Asked> {
    wire ??= new Wire(clock);
    try {
      const answer = await wire.request({
        method: 'GET',
        url,
        headers: { accept: 'text/plain;version=0.0.4' },
        signal: abort.signal,
        connectTimeoutMs: timeoutMs,
        firstByteTimeoutMs: timeoutMs,
        totalTimeoutMs: timeoutMs,
      });
      const text = await readText(answer, LONGEST_PAGE_CHARS);
      if (answer.status === 200) return text;
      return answer.status === 401 || answer.status === 403
        ? {
            reason: `it wants a password (${answer.status})`,
            hint: 'use ssh:HOST, or an address without one',
          }
        : { reason: `it answers ${answer.status}`, hint: 'usually the path is /metrics' };
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { reason: error.fault.message, hint: `is an exporter running at ${place}?` };
    }
  }

  return {
    id: place,
    start(intervalMs, to) {
      report = to;
      if (abort.signal.aborted) abort = new AbortController();
      source.start(intervalMs);
    },
    stop() {
      source.stop();
      abort.abort();
      wire?.close();
      wire = null;
      before = null;
      toldFacts = false;
    },
  };
}
