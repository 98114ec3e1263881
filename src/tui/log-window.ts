import type { LogTailProps, LogTitleProps } from '../../widgets/log-tail.js';
import {
  emptyView,
  extendView,
  isBehind,
  passes,
  viewIndexAtTime,
  viewIndexOf,
  viewLength,
  viewNumberAt,
  type LogFilter,
  type LogView,
  type SpanFilter,
} from '../domain/log-filter.js';
import { compilePattern, marksOf, type CompiledPattern } from '../domain/log-pattern.js';
import { lineAt, timeAt, type LogRing } from '../domain/log-ring.js';
import { createRequestIndex, type RequestIndex } from '../domain/log-span.js';
import type { LogLine } from '../domain/log.js';
import type { LogsState, LogSourceEntry, TurnLog } from '../state/state.js';
import { turnLogNote } from './turn-log-note.js';

/** The part of the log that is on the screen, kept up to date as lines come instead of filtered anew. */
export interface LogWindow {
  props(logs: LogsState, height: number): LogTailProps;
  title(logs: LogsState): LogTitleProps;
  /** The number of the last visible line after scrolling by rows; null when that is the end, which is then followed. */
  scrolled(logs: LogsState, rows: number, height?: number): number | null;
  /** The number of the last visible line when the first one at or behind a time, epoch ms, stands at the top. */
  atTime(logs: LogsState, at: number, height: number): number | null;
  /** The time of the first line that is shown, epoch ms; null: there is none. */
  oldest(logs: LogsState): number | null;
  /** Numbers of the last lines in view, up to so many. */
  numbers(logs: LogsState, count: number): readonly number[];
  /** Lines wait to be filtered; another frame is needed. */
  readonly behind: boolean;
}

/** Time of one frame that filtering may take; the rest comes with the next one. */
const STEP_MS = 4;

export function createLogWindow(monotonic: () => number): LogWindow {
  let view: LogView | null = null;
  /** What the view was last extended for. */
  let shownLogs: LogsState | null = null;
  /** What is known of the requests of others while the log of one answer is looked at. */
  let ofTurn: {
    readonly turn: TurnLog;
    readonly ring: LogRing;
    readonly index: RequestIndex;
    readonly filter: SpanFilter;
  } | null = null;
  let compiled: { readonly source: string; readonly result: CompiledPattern } | null = null;

  function patternOf(logs: LogsState): CompiledPattern | null {
    if (!logs.filter) return null;
    if (compiled?.source !== logs.filter.pattern)
      compiled = { source: logs.filter.pattern, result: compilePattern(logs.filter.pattern) };
    return compiled.result;
  }

  /** The very same object while nothing changed for the lines that were looked at: another filter begins anew. */
  function spanFilter({ turn, ring }: LogsState): SpanFilter | undefined {
    if (!turn) return void (ofTurn = null);
    if (ofTurn?.turn === turn && ofTurn.ring === ring) return ofTurn.filter;
    const index = ofTurn?.turn.turnId === turn.turnId ? ofTurn.index : createRequestIndex();
    index.extend(ring);
    const others = index.others(turn.span);
    const before = ofTurn?.turn.span === turn.span ? ofTurn.filter : null;
    let filter: SpanFilter = { span: turn.span, others };
    if (before?.others === others) filter = before;
    else if (before && view?.filter.span === before) {
      const { scanned } = view;
      const isKept =
        [...before.others].every((each) => others.has(each)) &&
        [...others].every((each) => before.others.has(each) || index.firstNumber(each) >= scanned);
      // What is another's from its first line on was not shown yet.
      if (isKept && others.size > before.others.size)
        view = { ...view, filter: { ...view.filter, span: filter } };
      else if (isKept) filter = before;
    }
    ofTurn = { turn, ring, index, filter };
    return filter;
  }

  /**
   * The rows and the title of one frame, and what is scrolled on them, are of one view. It goes on with the rows only: if the title
   * came to the end of what waits, nobody would draw the rows again.
   */
  function current(logs: LogsState, forRows = false): LogView {
    if (!forRows && view && shownLogs === logs) return view;
    shownLogs = logs;
    const pattern = patternOf(logs);
    const span = spanFilter(logs);
    const filter: LogFilter = {
      level: logs.level,
      source: logs.source,
      pattern: pattern?.ok ? pattern.pattern : null,
      inverse: logs.filter?.inverse ?? false,
      ...(span ? { span } : {}),
    };
    const before = view?.filter;
    const same =
      before &&
      before.level === filter.level &&
      before.source === filter.source &&
      before.pattern === filter.pattern &&
      before.inverse === filter.inverse &&
      before.span === filter.span;
    const late = monotonic() + STEP_MS;
    view = extendView(
      same && view ? view : emptyView(filter),
      logs.ring,
      undefined,
      () => monotonic() > late,
    );
    return view;
  }

  /** Position in the view of the last visible line. One that is held and was dropped, or is filtered out, is the oldest. */
  function lastIndex(shown: LogView, logs: LogsState): number {
    const last = viewLength(shown, logs.ring) - 1;
    return logs.held === null ? last : Math.min(last, Math.max(0, viewIndexOf(shown, logs.ring, logs.held)));
  }

  /** Lines that are still being written over stand below those that have ended. */
  function unfinished(shown: LogView, logs: LogsState): readonly LogLine[] {
    if (logs.held !== null || logs.progress.size === 0) return [];
    // They are written now.
    if (logs.turn && logs.turn.span.to !== null) return [];
    return [...logs.progress.values()].filter((line) => passes(shown.filter, line, Infinity));
  }

  return {
    props(logs, height) {
      const shown = current(logs, true);
      const below = unfinished(shown, logs);
      const room = Math.max(0, height - below.length);
      // At the beginning of the log the pane is full nevertheless.
      const end = Math.max(lastIndex(shown, logs), Math.min(viewLength(shown, logs.ring), room) - 1);
      const lines: LogLine[] = [];
      for (let i = Math.max(0, end - room + 1); i <= end; i++) {
        const line = lineAt(logs.ring, viewNumberAt(shown, logs.ring, i) ?? -1);
        if (line) lines.push(line);
      }
      lines.push(...below);
      const pattern = patternOf(logs);
      const note = logs.turn && turnLogNote(logs, logs.turn, shown);
      return {
        lines,
        wrap: logs.wrap,
        note,
        marksOf:
          pattern?.ok && !logs.filter?.inverse ? (text: string) => marksOf(pattern.pattern, text) : null,
        empty:
          pattern && !pattern.ok
            ? `the filter is not used: ${pattern.reason}`
            : (note ??
              reasonOf(entryOf(logs)) ??
              (logs.ring.end === 0 ? 'nothing logged yet' : 'no line passes the filter')),
      };
    },
    title(logs) {
      const shown = current(logs);
      const total = viewLength(shown, logs.ring);
      return {
        turn: logs.turn && { from: logs.turn.span.from, to: logs.turn.span.to },
        source: logs.source ?? (logs.sources.length > 1 ? `all ${logs.sources.length} sources` : ''),
        // What is over has no end to follow.
        following: logs.held !== null ? false : logs.turn && logs.turn.span.to !== null ? null : true,
        below: Math.max(0, total - 1 - lastIndex(shown, logs)),
        trouble: troubleOf(logs),
        level: logs.level === 'debug' ? null : logs.level,
        pattern: logs.filter?.pattern ?? null,
        unused: patternOf(logs)?.ok === false,
        inverse: logs.filter?.inverse ?? false,
        lines: total,
        skipped: logs.ring.skipped,
      };
    },
    scrolled(logs, rows, height = 1) {
      const shown = current(logs);
      const total = viewLength(shown, logs.ring);
      // The pane is full also at the beginning of the log.
      const least = Math.max(0, Math.min(total, height) - 1);
      const to = Math.max(least, Math.max(least, lastIndex(shown, logs)) + rows);
      if (to >= total - 1) return null;
      return viewNumberAt(shown, logs.ring, to) ?? null;
    },
    atTime(logs, at, height) {
      const shown = current(logs);
      const last = viewIndexAtTime(shown, logs.ring, at) + Math.max(1, height) - 1;
      if (last >= viewLength(shown, logs.ring) - 1) return null;
      return viewNumberAt(shown, logs.ring, last) ?? null;
    },
    oldest: (logs) => timeAt(logs.ring, viewNumberAt(current(logs), logs.ring, 0) ?? -1) ?? null,
    numbers(logs, count) {
      const shown = current(logs);
      const end = lastIndex(shown, logs);
      const from = Math.max(0, end - Math.max(0, count - unfinished(shown, logs).length) + 1);
      return Array.from({ length: Math.max(0, end - from + 1) }, (_, i) =>
        viewNumberAt(shown, logs.ring, from + i),
      ).filter((number): number is number => number !== undefined);
    },
    get behind() {
      return view !== null && isBehind(view);
    },
  };
}

/** The chosen source. */
function entryOf(logs: LogsState): LogSourceEntry | null {
  return logs.opened.find(({ name }) => name === logs.source) ?? null;
}

function reasonOf(entry: LogSourceEntry | null): string | null {
  const { reason = null, hint = null } = entry?.status ?? {};
  return reason === null ? null : `${reason}. ${hint ?? ''}`.trimEnd();
}

/** Of the chosen source, or of the first of all that cannot be read; one that only waits is told of when it is chosen. */
function troubleOf(logs: LogsState): string | null {
  const chosen = entryOf(logs);
  if (chosen) return chosen.status.reason === null ? null : chosen.status.state;
  const entry = logs.opened.find(({ status }) => status.state === 'refused' || status.state === 'failed');
  return logs.source === null && entry ? `${entry.name} ${entry.status.state}` : null;
}
