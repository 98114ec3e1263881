import { fencedBlocks } from '../domain/code-blocks.js';
import type { Turn } from '../domain/chat.js';
import { wholeText } from '../domain/text.js';
import { goesOn, hardStop } from './aftermath.js';
import { fallBack, startTurn } from './chat.js';
import { effect, type Command, type Commands } from './command.js';
import { canContinue, continueTurn } from './continue.js';
import type { Effect } from './effect.js';
import { couldNotStart, nextModel } from './fallback.js';
import { withNotice } from './notices.js';
import { editPrompt } from './prompt.js';
import { heldOff } from './retry-after.js';
import type { State } from './state.js';
import { turnInView } from './turn-in-view.js';
import { onTurnLog } from './turn-log.js';
import { openOverlay, withView } from './view.js';

/** What is done with questions and answers of the transcript. */
export const TURN_COMMANDS: Commands = {
  'turn.retry': onRetry,
  'turn.continue': onContinue,
  'turn.fall-back': onFallBack,
  'turn.hard-stop': onHardStop,
  'turn.edit': onEditTurn,
  'turn.copy': (state, _event, out) => copy(state, out, turnOf(state, _event)?.answer ?? null, 'message'),
  'turn.copy-code': onCopyCode,
  'turn.thinking': onThinking,
  'turn.details': onDetails,
  'turn.log': onTurnLog,
};

/** The turn named by the command, else the last one. */
function turnOf(state: State, event: Command): Turn | null {
  if (state.chat.live && (!event.argument || state.chat.live.id === event.argument)) return state.chat.live;
  return state.chat.done.find((t) => t.id === event.argument) ?? state.chat.done.at(-1) ?? null;
}

function onRetry(state: State, event: Command, out: Effect[]): State {
  const turn = turnOf(state, event);
  if (!turn || state.chat.live) return state;
  const held = heldOff(state, event);
  if (held) return held;
  const next = startTurn(state, event, turn.prompt, out, { replaces: turn.id });
  return next === state
    ? withNotice(state, event, 'warn', 'no model to ask yet', 'Ctrl+O lists all models.')
    : next;
}

function onContinue(state: State, event: Command, out: Effect[]): State {
  const last = state.chat.done.at(-1);
  if (state.chat.live || !last) return state;
  if (event.argument !== undefined && event.argument !== last.id)
    return withNotice(state, event, 'info', 'only the last answer can be gone on with', null);
  if (!canContinue(last)) {
    const why = last.outcome === 'complete' ? 'this answer is complete' : 'there is no text to go on with';
    return withNotice(state, event, 'info', why, 'r in the transcript asks again.');
  }
  const held = heldOff(state, event);
  if (held) return held;
  const next = continueTurn(state, event, last, out);
  return next === state
    ? withNotice(state, event, 'warn', 'no model to go on with', 'Ctrl+O lists all models.')
    : next;
}

function onFallBack(state: State, event: Command, out: Effect[]): State {
  const last = state.chat.done.at(-1);
  if (state.chat.live || !last) return state;
  const next = nextModel(state, last);
  if (next) return fallBack(state, event, last, next, out);
  if (!couldNotStart(last))
    return withNotice(
      state,
      event,
      'info',
      'only an answer that could not start goes to another model',
      null,
    );
  return state.settings.fallback.length === 0
    ? withNotice(
        state,
        event,
        'info',
        'there is no list of models to fall back to',
        'lmapp config set fallback server/model,mock',
      )
    : withNotice(
        state,
        event,
        'warn',
        'no other model of the fallback list can be asked now',
        'r asks again.',
      );
}

function onHardStop(state: State, event: Command, out: Effect[]): State {
  const key = hardStop(state);
  if (key === null) {
    const going = goesOn(state);
    return going === null
      ? withNotice(state, event, 'info', 'no server goes on with a stopped answer', null)
      : withNotice(
          state,
          event,
          'warn',
          `${going.backendTitle} goes on with the stopped answer, and cannot unload its model now`,
          'To stop it at once, end that server.',
        );
  }
  out.push({ type: 'model.unload', key });
  return withNotice(state, event, 'info', 'unloading the model, to stop its server', null);
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
  const turn = turnInView(state, event.argument);
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
