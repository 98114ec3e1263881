import type { Turn } from '../domain/chat.js';
import type { Stamped } from '../events/catalogue.js';
import type { Command } from './command.js';
import { withNotice } from './notices.js';
import { modelByKey, turnById, type State, type TurnLog } from './state.js';
import { turnInView } from './turn-in-view.js';
import { withView } from './view.js';

/**
 * One key shows what was logged while an answer was made, and goes back: the running answer or the last one from the message box, the one
 * at the top of the transcript from there. In the log it only goes back.
 */
export function onTurnLog(state: State, event: Command): State {
  const { turn: shown } = state.logs;
  const turn = isTurnLogFocused(state) ? null : turnInView(state, event.argument);
  if (shown && (!turn || turn.id === shown.turnId)) return leaveTurnLog(state);
  if (!turn) return withNotice(state, event, 'info', 'there is no answer yet', null);
  return showTurnLog(state, turn);
}

function showTurnLog(state: State, turn: Turn): State {
  const { held, source, filter, turn: shown } = state.logs;
  const { pane, zoomed } = state.view;
  const log: TurnLog = {
    turnId: turn.id,
    span: spanOf(state, turn),
    backendId: modelByKey(state, turn.modelKey)?.backendId ?? null,
    backendTitle: turn.backendTitle,
    before: shown?.before ?? { held, source, filter, pane, zoomed },
  };
  // What another source says at that time belongs to it; the level stays, it is about what is worth reading.
  const logs = { ...state.logs, turn: log, held: null, source: null, filter: null };
  // On a screen of one column the pane with the focus takes the place of the chat.
  return withView({ ...state, logs }, { pane: 'log', zoomed: zoomed && 'log', filtering: null });
}

/** Esc goes back from it. */
export function isTurnLogFocused({ logs, view }: State): boolean {
  return logs.turn !== null && view.pane === 'log';
}

/** Everything is shown again as before; the focus goes back to where it came from, unless it has left the log. */
export function leaveTurnLog(state: State): State {
  const { turn } = state.logs;
  if (!turn) return state;
  const { held, source, filter, pane, zoomed } = turn.before;
  const next: State = { ...state, logs: { ...state.logs, turn: null, held, source, filter } };
  return state.view.pane === 'log' ? withView(next, { pane, zoomed, filtering: null }) : next;
}

/** The span that is looked at ends with its answer, and knows the number of the request as soon as it is told. */
export function followTurnLog(state: State, event: Stamped): State {
  const { turn: log } = state.logs;
  if (!log || log.span.to !== null) return state;
  const turn = turnById(state, log.turnId);
  const requestId = turn?.requestId ?? log.span.requestId;
  if (turn && !turn.outcome && requestId === log.span.requestId) return state;
  // The chat was left: it was stopped by that.
  const span = turn ? spanOf(state, turn) : { ...log.span, to: event.at };
  return { ...state, logs: { ...state.logs, turn: { ...log, span } } };
}

/** When an answer was asked for and when it ended, by the wall clock. */
export function spanOf(state: State, turn: Turn): TurnLog['span'] {
  return { from: turn.askedAt, to: endOf(state, turn), requestId: turn.requestId };
}

function endOf(state: State, { askedAt, startedMono, endedMono, earlier }: Turn): number | null {
  if (endedMono === null) return null;
  if (!earlier) return askedAt + (endedMono - startedMono);
  // Gone on with in an earlier run of the program: how long it rested in between is not written down.
  if (startedMono === 0) return askedAt + earlier.ms + endedMono;
  return state.at - (state.mono - endedMono);
}
