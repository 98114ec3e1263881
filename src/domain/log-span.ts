import type { LogLine } from './log.js';
import { visitLines, type LogRing } from './log-ring.js';

/**
 * Lines this far outside of a span belong to it all the same. Clocks of other machines differ by a second or two where they are set by
 * the net (lines of a clock that is further off stand by when they came), and many servers write whole seconds, rounded down.
 */
export const SPAN_MARGIN_MS = 1500;

/** The time of one request, in epoch ms. */
export interface LogSpan {
  readonly from: number;
  /** Null: it runs. */
  readonly to: number | null;
  /** As its server numbers it; null: it did not tell. */
  readonly requestId: string | null;
}

/** Whether a line that stands at this time (`timeAt` of the ring) is of the span. */
export function isInSpan(span: LogSpan, time: number): boolean {
  return time >= span.from - SPAN_MARGIN_MS && (span.to === null || time <= span.to + SPAN_MARGIN_MS);
}

/** Of a request that lines name: when it was first and last named, and of which source. */
interface Named {
  readonly source: string;
  readonly first: number;
  last: number;
}

/**
 * The requests of others that were worked on within the span, as `requestOf` writes them. A server that logs the number that it told
 * with the answer has one request in the span, all others are not it. Of the others nobody told which is ours: it is none that began
 * before the question, and none that only touches the margins while another one lies within.
 */
export function otherRequests(ring: LogRing, span: LogSpan): ReadonlySet<string> {
  const named = new Map<string, Named>();
  visitLines(ring, ring.first, (line, _number, time) => {
    const request = requestOf(line);
    if (request === null) return true;
    const known = named.get(request);
    if (known) known.last = Math.max(known.last, time);
    else named.set(request, { source: line.source, first: time, last: time });
    return true;
  });
  const others = new Set<string>();
  const to = span.to ?? Infinity;
  for (const source of new Set([...named.values()].map((each) => each.source))) {
    const all = [...named].filter(([, each]) => each.source === source);
    const told = all.filter(([request]) => request === keyOf(source, span.requestId ?? ''));
    const begun = all.filter(
      ([, each]) => each.first >= span.from - SPAN_MARGIN_MS && each.first <= to + SPAN_MARGIN_MS,
    );
    const within = begun.filter(([, each]) => each.last >= span.from && each.first <= to);
    const ours = new Set((told.length > 0 ? told : within.length > 0 ? within : begun).map(([r]) => r));
    for (const [request] of all) if (!ours.has(request)) others.add(request);
  }
  return others;
}

/** The request that a line names, told apart from those of other sources; null: none. */
export function requestOf({ source, requestId }: LogLine): string | null {
  return requestId === undefined ? null : keyOf(source, requestId);
}

function keyOf(source: string, requestId: string): string {
  return `${source}\n${requestId}`;
}
