import type { FigureName, Phase, Turn, Usage } from '../domain/chat.js';
import { appendText } from '../domain/text.js';
import type { Stamped } from '../events/catalogue.js';
import type { Effect } from './effect.js';
import type { ChatState, State } from './state.js';

/** Figures of a running answer are refreshed this often; more would move numbers that nobody can read. */
const FIGURES_MS = 250;

/** What comes while an answer runs. */
export type LiveEvent = Exclude<
  Extract<Stamped, { turnId: string }>,
  { type: 'turn.aftermath' | 'turn.ended' | 'turn.held' }
>;

/** Folds it into the running turn. */
export function foldLive(state: State, live: Turn, event: LiveEvent, out: Effect[]): State {
  switch (event.type) {
    case 'turn.started':
      return state;
    case 'turn.queued':
      return withLive(state, {
        ...enterPhase(live, 'queued', event.mono),
        queuePosition: event.position ?? null,
        sources: withSources(live, ['queued'], event.source),
      });
    case 'turn.loading':
      return withLive(state, {
        ...enterPhase(live, 'loading', event.mono),
        loadProgress: event.progress,
        sources: withSources(live, ['loading'], event.source),
      });
    case 'turn.prefill':
      return withLive(state, {
        ...enterPhase(live, 'prefill', event.mono),
        prefill: event.progress,
        sources: withSources(live, ['prefill'], event.source),
      });
    case 'turn.reasoning.delta':
      return onDelta(state, live, event, out);
    case 'turn.text.delta':
      return onDelta(state, live, event, out);
    case 'turn.usage': {
      const told = withLive(state, {
        ...live,
        usage: mergeUsage(live.usage, event.usage),
        sources: withSources(live, toldFigures(event.usage), event.source),
      });
      // A count of now over a time of before would be a speed that nobody had.
      return (event.usage.answerTokens ?? null) === null ? told : withShown(told, live.pieces, event.mono);
    }
    case 'turn.truncated':
      return withLive(state, { ...live, truncation: event.truncation });
    case 'turn.answered-by':
      return withLive(state, { ...live, answeredBy: event.name });
    case 'turn.identified':
      return withLive(state, { ...live, requestId: event.requestId });
    case 'turn.noted':
      return withLive(state, { ...live, notes: [...live.notes, event.text] });
  }
}

function onDelta(
  state: State,
  live: Turn,
  event: Stamped & { type: 'turn.text.delta' | 'turn.reasoning.delta' },
  out: Effect[],
): State {
  const thinking = event.type === 'turn.reasoning.delta';
  const phase: Phase = thinking ? 'thinking' : 'answering';
  const entered = live.phase === phase ? live : enterPhase(live, phase, event.mono);
  const turn: Turn = {
    ...entered,
    thinking: thinking ? appendText(live.thinking, event.text) : live.thinking,
    answer: thinking ? live.answer : appendText(live.answer, event.text),
    pieces: live.pieces + event.pieces,
    firstTokenMono: live.firstTokenMono ?? event.mono,
  };
  out.push({ type: 'session.write', chatId: state.chat.id, turn });
  const chat: ChatState = { ...state.chat, live: turn };
  // Figures that come with every piece move `shownMono` on, and must not hold the time back.
  const since = Math.min(chat.shownMono, state.mono);
  if (event.mono - since < FIGURES_MS && chat.shownPieces > 0) return { ...state, chat };
  return { ...withShown({ ...state, chat }, turn.pieces, event.mono), mono: event.mono, at: event.at };
}

/** The pieces and the time that the figures of a running answer are made of. */
function withShown(state: State, pieces: number, mono: number): State {
  return { ...state, chat: { ...state.chat, shownPieces: pieces, shownMono: mono } };
}

function withLive(state: State, turn: Turn): State {
  return { ...state, chat: { ...state.chat, live: turn } };
}

function enterPhase(turn: Turn, phase: Phase, mono: number): Turn {
  if (turn.phase === phase) return turn;
  // A spread array has room for 17 more; a chat holds thousands of these.
  return { ...turn, phase, phases: turn.phases.concat({ phase, mono }) };
}

/** Later figures replace earlier ones; null says nothing. */
function mergeUsage(usage: Usage, more: Partial<Usage>): Usage {
  return { ...usage, ...Object.fromEntries(toldFigures(more).map((name) => [name, more[name]])) };
}

function toldFigures(usage: Partial<Usage>): readonly (keyof Usage)[] {
  return (Object.keys(usage) as (keyof Usage)[]).filter((name) => usage[name] !== null);
}

/** The very same object while nothing new is told: live figures come many times a second. */
function withSources(
  turn: Turn,
  names: readonly FigureName[],
  source: string | null | undefined,
): Turn['sources'] {
  if (!source || names.every((name) => turn.sources[name] === source)) return turn.sources;
  return { ...turn.sources, ...Object.fromEntries(names.map((name) => [name, source])) };
}
