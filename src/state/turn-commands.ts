import { fencedBlocks } from '../domain/code-blocks.js';
import type { Turn } from '../domain/chat.js';
import { wholeText } from '../domain/text.js';
import { startTurn } from './chat.js';
import { effect, type Command, type Commands } from './command.js';
import type { Effect } from './effect.js';
import { withNotice } from './notices.js';
import { editPrompt } from './prompt.js';
import type { State } from './state.js';
import { openOverlay, withView } from './view.js';

/** What is done with questions and answers of the transcript. */
export const TURN_COMMANDS: Commands = {
  'turn.send-anyway': (state, event, out) => startTurn(state, event, event.argument ?? '', out),
  'turn.retry': onRetry,
  'turn.edit': onEditTurn,
  'turn.copy': (state, _event, out) => copy(state, out, turnOf(state, _event)?.answer ?? null, 'message'),
  'turn.copy-code': onCopyCode,
  'turn.thinking': onThinking,
  'turn.details': onDetails,
};

/** The turn named by the command, else the last one. */
function turnOf(state: State, event: Command): Turn | null {
  if (state.chat.live && (!event.argument || state.chat.live.id === event.argument)) return state.chat.live;
  return state.chat.done.find((t) => t.id === event.argument) ?? state.chat.done.at(-1) ?? null;
}

function onRetry(state: State, event: Command, out: Effect[]): State {
  const turn = turnOf(state, event);
  if (!turn || state.chat.live) return state;
  return startTurn(state, event, turn.prompt, out, { replaces: turn.id });
}

function onEditTurn(state: State, event: Command): State {
  const turn = turnOf(state, event);
  if (!turn) return state;
  return withView(
    { ...state, prompt: editPrompt(state.prompt, { op: 'set', text: turn.prompt }) },
    { pane: 'message', anchor: null },
  );
}

function copy(state: State, out: Effect[], text: Turn['answer'] | null, what: string): State {
  if (text && text.length > 0) out.push({ type: 'clipboard.copy', text: wholeText(text), what });
  return state;
}

function onCopyCode(state: State, event: Command, out: Effect[]): State {
  const turn = turnOf(state, event);
  const block = turn ? fencedBlocks(wholeText(turn.answer)).at(-1) : undefined;
  if (block === undefined) return withNotice(state, event, 'info', 'no code block in this answer', null);
  return effect(state, out, { type: 'clipboard.copy', text: block, what: 'code block' });
}

/** Of the answer at the top of the transcript when it is scrolled, else of the last one. */
function onDetails(state: State, event: Command): State {
  const { anchor } = state.view;
  const all = state.chat.live ? [...state.chat.done, state.chat.live] : state.chat.done;
  const held = anchor && all.findLast(({ id }) => id === anchor.entryId || `${id}?` === anchor.entryId);
  const turn = event.argument === undefined && held ? held : turnOf(state, event);
  if (!turn) return withNotice(state, event, 'info', 'there is no answer yet', null);
  return openOverlay(state, 'answer', turn.id);
}

function onThinking(state: State, event: Command): State {
  const turn = turnOf(state, event);
  if (!turn) return state;
  const unfolded = new Set(state.chat.unfolded);
  if (!unfolded.delete(turn.id)) unfolded.add(turn.id);
  return { ...state, chat: { ...state.chat, unfolded } };
}
