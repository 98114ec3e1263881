import type { LogTailProps, LogTitleProps } from '../../widgets/log-tail.js';
import {
  emptyView,
  extendView,
  isBehind,
  viewIndexOf,
  viewLength,
  viewNumberAt,
  type LogFilter,
  type LogView,
} from '../domain/log-filter.js';
import { compilePattern, type CompiledPattern } from '../domain/log-pattern.js';
import { lineAt } from '../domain/log-ring.js';
import type { LogLine } from '../domain/log.js';
import type { LogsState } from '../state/state.js';

/** The part of the log that is on the screen, kept up to date as lines come instead of filtered anew. */
export interface LogWindow {
  props(logs: LogsState, height: number): LogTailProps;
  title(logs: LogsState): LogTitleProps;
  /** The number of the last visible line after scrolling by rows; null when that is the end, which is then followed. */
  scrolled(logs: LogsState, rows: number): number | null;
  /** Lines wait to be filtered; another frame is needed. */
  readonly behind: boolean;
}

/** Time of one frame that filtering may take; the rest comes with the next one. */
const STEP_MS = 4;

export function createLogWindow(monotonic: () => number): LogWindow {
  let view: LogView | null = null;
  let compiled: { readonly source: string; readonly result: CompiledPattern } | null = null;

  function patternOf(logs: LogsState): CompiledPattern | null {
    if (!logs.filter) return null;
    if (compiled?.source !== logs.filter.pattern)
      compiled = { source: logs.filter.pattern, result: compilePattern(logs.filter.pattern) };
    return compiled.result;
  }

  function current(logs: LogsState): LogView {
    const pattern = patternOf(logs);
    const filter: LogFilter = {
      level: logs.level,
      source: logs.source,
      pattern: pattern?.ok ? pattern.pattern : null,
      inverse: logs.filter?.inverse ?? false,
    };
    const before = view?.filter;
    const same =
      before &&
      before.level === filter.level &&
      before.source === filter.source &&
      before.pattern === filter.pattern &&
      before.inverse === filter.inverse;
    const late = monotonic() + STEP_MS;
    view = extendView(
      same && view ? view : emptyView(filter),
      logs.ring,
      undefined,
      () => monotonic() > late,
    );
    return view;
  }

  /** Position in the view of the last visible line. */
  function lastIndex(shown: LogView, logs: LogsState): number {
    return logs.held === null ? viewLength(shown, logs.ring) - 1 : viewIndexOf(shown, logs.ring, logs.held);
  }

  return {
    props(logs, height) {
      const shown = current(logs);
      const end = lastIndex(shown, logs);
      const lines: LogLine[] = [];
      for (let i = Math.max(0, end - height + 1); i <= end; i++) {
        const line = lineAt(logs.ring, viewNumberAt(shown, logs.ring, i) ?? -1);
        if (line) lines.push(line);
      }
      const pattern = patternOf(logs);
      return {
        lines,
        wrap: logs.wrap,
        match: pattern?.ok && !logs.filter?.inverse ? pattern.pattern.expression : null,
        empty:
          pattern && !pattern.ok
            ? `the filter is not used: ${pattern.reason}`
            : logs.ring.end === 0
              ? 'nothing logged yet'
              : 'no line passes the filter',
      };
    },
    title(logs) {
      const shown = current(logs);
      const total = viewLength(shown, logs.ring);
      return {
        source: logs.source ?? '',
        following: logs.held === null,
        below: total - 1 - lastIndex(shown, logs),
        level: logs.level === 'debug' ? null : logs.level,
        pattern: logs.filter?.pattern ?? null,
        inverse: logs.filter?.inverse ?? false,
        lines: total,
        skipped: logs.ring.skipped,
      };
    },
    scrolled(logs, rows) {
      const shown = current(logs);
      const total = viewLength(shown, logs.ring);
      const to = Math.max(0, lastIndex(shown, logs) + rows);
      if (to >= total - 1) return null;
      return viewNumberAt(shown, logs.ring, to) ?? null;
    },
    get behind() {
      return view !== null && isBehind(view);
    },
  };
}
