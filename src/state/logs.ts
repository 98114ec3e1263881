import { appendLines } from '../domain/log-ring.js';
import type { Stamped } from '../events/catalogue.js';
import { withNotice } from './notices.js';
import type { State } from './state.js';

const KEPT_SOURCES = 32;

/** Folds log lines into the ring. */
export function updateLogs(state: State, event: Stamped): State {
  switch (event.type) {
    case 'logs.appended': {
      const { logs } = state;
      const known = event.lines.every((line) => logs.sources.includes(line.source));
      const sources = known
        ? logs.sources
        : [...new Set([...logs.sources, ...event.lines.map((l) => l.source)])].slice(-KEPT_SOURCES);
      return {
        ...state,
        logs: { ...logs, ring: appendLines(logs.ring, event.lines, event.skipped), sources },
      };
    }
    case 'logs.interrupted':
      return withNotice(state, event, 'warn', `log ${event.source}: ${event.reason}`, event.hint);
    default:
      return state;
  }
}
