import { formatClockSeconds } from '../../widgets/text/format.js';
import type { LogSourceEntry, LogsState } from '../state/state.js';
import type { Fact } from './details-overlay.js';

/** What is known of every source of the log. */
export function sourceFacts(logs: LogsState): readonly Fact[] {
  if (logs.opened.length === 0) return [['sources', 'none is open yet']];
  return [
    ...logs.opened.flatMap((entry, i) => [...(i === 0 ? [] : [['', ''] as const]), ...factsOf(entry)]),
    ['', ''],
    ['more', 'name others with --follow PLACE, or "log" of a server in the configuration'],
  ];
}

function factsOf({ name, place, asked, status }: LogSourceEntry): readonly Fact[] {
  const origin = asked ? 'named by you' : 'found';
  return [
    [name, `${status.state} · ${origin}`],
    ['  place', place],
    ...(status.reason === null ? [] : [['  reason', status.reason] as const]),
    ...(status.hint === null ? [] : [['  next step', status.hint] as const]),
    ...(status.nextTryMs === null ? [] : [['  tried again', formatClockSeconds(status.nextTryMs)] as const]),
  ];
}
