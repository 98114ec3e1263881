import { formatClockSeconds } from '../../widgets/text/format.js';
import { isBehind, type LogView } from '../domain/log-filter.js';
import { lineAt, timeAt } from '../domain/log-ring.js';
import { SPAN_MARGIN_MS } from '../domain/log-span.js';
import type { LogsState, LogSourceEntry, TurnLog } from '../state/state.js';

const OWN_LOG = 'lmapp';

/**
 * What is to be said of the log of one answer when no server wrote anything meanwhile: which sources were looked at, and what they do. Null
 * while there are lines of another source than our own.
 */
export function turnLogNote(logs: LogsState, turn: TurnLog, view: LogView): string | null {
  if (isBehind(view)) return null;
  const numbers = view.numbers ?? [];
  if (numbers.some((number) => lineAt(logs.ring, number)?.source !== OWN_LOG)) return null;
  const nothing =
    numbers.length > 0
      ? 'no server logged anything'
      : narrowed(logs)
        ? 'no line passes'
        : 'nothing was logged';
  return [`${nothing} ${timeWords(turn)}`, lookedAt(logs, turn), begins(logs, turn)]
    .filter((text) => text !== '')
    .join('; ');
}

function timeWords({ span: { from, to } }: TurnLog): string {
  return to === null
    ? `since ${formatClockSeconds(from)}`
    : `from ${formatClockSeconds(from)} to ${formatClockSeconds(to)}`;
}

/** More is filtered than the time. */
function narrowed({ filter, source, level }: LogsState): boolean {
  return filter !== null || source !== null || level === 'warn' || level === 'error';
}

function lookedAt(logs: LogsState, turn: TurnLog): string {
  const shown = logs.opened.filter(({ name }) => logs.source === null || name === logs.source);
  const names = shown.map(nameOf).join(', ');
  const looked = names === '' ? 'no source is open' : `looked at ${names}`;
  const followed = logs.opened.some(
    ({ name, asked, backendIds }) =>
      name !== OWN_LOG &&
      (backendIds.length === 0 ? asked : turn.backendId !== null && backendIds.includes(turn.backendId)),
  );
  if (followed) return looked;
  return `${looked}; the log of ${turn.backendTitle} is not followed: name it with --follow PLACE, or as "log" of the server in the configuration`;
}

function nameOf({ name, status }: LogSourceEntry): string {
  if (status.state === 'following') return name;
  return `${name} (${status.state}${status.reason === null ? '' : `: ${status.reason}`})`;
}

/** Of an old answer nothing may be left. */
function begins({ ring }: LogsState, { span }: TurnLog): string {
  const oldest = timeAt(ring, ring.first);
  if (oldest === undefined || span.to === null || oldest <= span.to + SPAN_MARGIN_MS) return '';
  return `the lines that are kept begin at ${formatClockSeconds(oldest)}, after it`;
}
