import type { OverlayId, PaneId, Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import { editPrompt, EMPTY_PROMPT } from './prompt.js';
import type { Choice, Overlay, Question, State, ViewState } from './state.js';

/** Folds what the user does with panes, overlays and filters. */
export function updateView(state: State, event: Stamped, publishLater: Effect[]): State {
  switch (event.type) {
    case 'pane.focused':
      return withView(state, { pane: event.pane, filtering: null });
    case 'pane.selected':
      return event.pane === 'models' ? { ...state, models: { ...state.models, cursor: event.key } } : state;
    case 'panes.shown':
      return withView(state, { shown: event.panes });
    case 'transcript.scrolled':
      return withView(state, { anchor: event.anchor });
    case 'logs.scrolled':
      return { ...state, logs: { ...state.logs, held: event.line } };
    case 'machine.scrolled':
      return withView(state, { machineRow: event.row });
    case 'overlay.closed':
      return closeOverlay(state);
    case 'overlay.edited':
      // Where the name of a model to be pulled is typed, the index is the chosen server.
      return withTopOverlay(state, (top) =>
        top.form
          ? top
          : {
              ...top,
              query: editPrompt(top.query, event.edit),
              index: top.id === 'pull' ? top.index : 0,
            },
      );
    case 'overlay.moved':
      return withTopOverlay(state, (top) => ({ ...top, index: Math.max(0, event.index) }));
    case 'question.answered':
      return onAnswered(state, event.choice, publishLater);
    case 'filter.edited':
      return state.view.filtering
        ? withFilter(state, {
            ...state.view.filtering,
            prompt: editPrompt(state.view.filtering.prompt, event.edit),
          })
        : state;
    case 'filter.closed':
      return withView(state, { filtering: null });
    case 'screen.resized':
      return withView(state, { width: event.width, height: event.height });
    case 'screen.focused':
      return withView(state, { focused: event.focused });
    case 'ways.moved':
      return withView(state, { waysIndex: event.index });
    default:
      return state;
  }
}

/** The filter works while it is typed; an empty one is none. */
function withFilter(state: State, filtering: NonNullable<ViewState['filtering']>): State {
  const pattern = filtering.prompt.text;
  const next = withView(state, { filtering });
  if (filtering.asksTime) return next;
  if (filtering.pane === 'transcript') return withView(next, { search: pattern });
  return {
    ...next,
    logs: { ...state.logs, filter: pattern === '' ? null : { pattern, inverse: filtering.inverse } },
  };
}

function onAnswered(state: State, choice: number, out: Effect[]): State {
  const top = state.view.overlays.at(-1);
  const event = top?.question?.choices[choice]?.event;
  if (event) out.push({ type: 'event.publish', event });
  return closeOverlay(state);
}

export function openOverlay(
  state: State,
  id: OverlayId,
  subject: string | null = null,
  question: Question | null = null,
): State {
  const others = state.view.overlays.filter((o) => o.id !== id);
  return withView(state, {
    overlays: [...others, { id, query: EMPTY_PROMPT, index: 0, question, subject }],
    filtering: null,
  });
}

export function closeOverlay(state: State): State {
  return withView(state, { overlays: state.view.overlays.slice(0, -1) });
}

function withTopOverlay(state: State, change: (top: Overlay) => Overlay): State {
  const top = state.view.overlays.at(-1);
  return top ? withView(state, { overlays: [...state.view.overlays.slice(0, -1), change(top)] }) : state;
}

export function withView(state: State, change: Partial<ViewState>): State {
  return { ...state, view: { ...state.view, ...change } };
}

/** Panes in the order of Tab, of those that can be reached now. */
export const PANE_ORDER: readonly PaneId[] = ['message', 'transcript', 'models', 'machine', 'log'];

/** A choice of a question that runs a command. */
export function choice(key: string, label: string, command: string): Choice {
  return { key, label, event: { type: 'command.invoked', command } };
}
