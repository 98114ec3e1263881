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

/** Of a request that lines name: of which source, when it was first and last named, and the number of its first line. */
interface Named {
  readonly source: string;
  readonly first: number;
  readonly number: number;
  last: number;
}

/** Requests that are remembered; a busy server has some thousands an hour. What comes beyond is taken for one that may be ours. */
const MOST_REQUESTS = 20_000;

/** Which requests lines name, kept up to date as lines come instead of looked for anew. */
export interface RequestIndex {
  /** Looks at the lines that came since. */
  extend(ring: LogRing): void;
  /**
   * The requests of others, as `requestOf` writes them; the very same set while nothing changes it. A server that logs the number that it told with the answer has one request in the
   * span, all others are not it. Of the others nobody told which is ours: it is none that began before the question, and none that only
   * touches the margins while another one lies within.
   */
  others(span: LogSpan): ReadonlySet<string>;
  /** Number of the first line that names it. */
  firstNumber(request: string): number;
}

export function createRequestIndex(): RequestIndex {
  const named = new Map<string, Named>();
  let scanned = 0;
  /** What was last told, and of which span; null: something has come that may change it. */
  let last: { readonly span: LogSpan; readonly others: ReadonlySet<string> } | null = null;
  return {
    extend(ring) {
      visitLines(ring, scanned, (line, number, time) => {
        const request = requestOf(line);
        const known = request === null ? undefined : named.get(request);
        if (known) {
          if (last && known.last < last.span.from && time >= last.span.from) last = null;
          known.last = Math.max(known.last, time);
        } else if (request !== null && named.size < MOST_REQUESTS) {
          named.set(request, { source: line.source, first: time, number, last: time });
          last = null;
        }
        return true;
      });
      scanned = ring.end;
    },
    others(span) {
      if (last?.span === span) return last.others;
      const to = span.to ?? Infinity;
      const begins = ({ first }: Named): boolean =>
        first >= span.from - SPAN_MARGIN_MS && first <= to + SPAN_MARGIN_MS;
      const liesWithin = (each: Named): boolean => begins(each) && each.last >= span.from && each.first <= to;
      // By source: what is known of one there is decides what the others are.
      const told = new Set<string>();
      const within = new Set<string>();
      for (const [request, each] of named) {
        if (span.requestId !== null && request === keyOf(each.source, span.requestId)) told.add(each.source);
        if (liesWithin(each)) within.add(each.source);
      }
      const others = new Set<string>();
      for (const [request, each] of named) {
        const { source } = each;
        const mayBeOurs = told.has(source)
          ? request === keyOf(source, span.requestId ?? '')
          : within.has(source)
            ? liesWithin(each)
            : begins(each);
        if (!mayBeOurs) others.add(request);
      }
      last = { span, others };
      return others;
    },
    firstNumber: (request) => named.get(request)?.number ?? -1,
  };
}

/** The requests of others among the lines that are held, see `RequestIndex`. */
export function otherRequests(ring: LogRing, span: LogSpan): ReadonlySet<string> {
  const index = createRequestIndex();
  index.extend(ring);
  return index.others(span);
}

/** The request that a line names, told apart from those of other sources; null: none. */
export function requestOf({ source, requestId }: LogLine): string | null {
  return requestId === undefined ? null : keyOf(source, requestId);
}

function keyOf(source: string, requestId: string): string {
  return `${source}\n${requestId}`;
}
