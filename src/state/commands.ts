import type { LayoutName } from '../domain/settings.js';
import type { PaneId, Stamped } from '../events/catalogue.js';
import { cancelTurn, startTurn } from './chat.js';
import { newChat } from './chats.js';
import { effect, type Command, type Commands } from './command.js';
import { CONTEXT_COMMANDS } from './context-commands.js';
import type { Effect } from './effect.js';
import { missingModel } from './fallback.js';
import { INTERVALS_MS, sampleIntervalMs } from './hardware.js';
import { LOAD_COMMANDS } from './load-commands.js';
import { askBeforeLoad, isTooLarge } from './load-question.js';
import { LOG_COMMANDS } from './log-commands.js';
import { MODEL_COMMANDS } from './model-commands.js';
import { MESSAGE_WAITS, withNewsOver, withNotice } from './notices.js';
import { askAboutOwnServers } from './own-servers.js';
import { editPrompt, EMPTY_PROMPT } from './prompt.js';
import { unfinishedPulls } from './pull-events.js';
import { heldOff } from './retry-after.js';
import { SERVER_COMMANDS } from './server-commands.js';
import { waitsForServers, withoutModelToAsk } from './first-message.js';
import { leaveSetUp, SETUP_COMMANDS, waitsForModel } from './set-up.js';
import { leaveServer, serverFormOf } from './server-form.js';
import { modelByKey, type State } from './state.js';
import { TURN_COMMANDS } from './turn-commands.js';
import { isTurnLogFocused, leaveTurnLog } from './turn-log.js';
import { closeOverlay, openOverlay, withView } from './view.js';

const PULLS_STOP =
  'Pulls stop with lmapp; the servers keep what came, and pulled again they go on from there.';
/** Two Ctrl+C on an empty message within this time quit. */
const QUIT_ARMED_MS = 2000;
const LAYOUTS: readonly LayoutName[] = ['all', 'chat-machine', 'chat'];

/** What each command does. Commands that need the layout of the screen (scrolling) are done by src/tui and arrive as other events. */
const COMMANDS: Commands = {
  ...MODEL_COMMANDS,
  ...SERVER_COMMANDS,
  ...TURN_COMMANDS,
  ...CONTEXT_COMMANDS,
  ...LOAD_COMMANDS,
  ...LOG_COMMANDS,
  ...SETUP_COMMANDS,
  'menu.open': (state) => openOverlay(state, 'menu'),
  'model.pick': (state) => openOverlay(state, 'models'),
  'keys.open': (state) => openOverlay(state, 'keys'),
  'notices.open': (state) => openOverlay(state, 'notices'),
  'chats.open': (state, _event, out) => {
    out.push({ type: 'session.list' });
    return openOverlay(state, 'chats');
  },
  'chat.open': (state, event, out) => {
    const stopped = cancelTurn(state, event, out);
    return effect(stopped, out, { type: 'session.open', chatId: event.argument ?? '' });
  },
  'chat.new': (state, event, out) => newChat(cancelTurn(state, event, out), event),
  escape: onEscape,
  interrupt: onInterrupt,
  'app.quit': onQuit,
  'app.suspend': (state, _event, out) => effect(state, out, { type: 'app.suspend' }),
  'screen.redraw': (state, _event, out) => effect(state, out, { type: 'screen.redraw' }),
  'servers.refresh': (state, event, out) =>
    withNotice(
      effect(state, out, { type: 'backends.refresh' }),
      event,
      'info',
      'asking all servers anew',
      null,
    ),
  'mock.use': (state, _event, out) => effect(state, out, { type: 'mock.add' }),
  'layout.cycle': (state, event, out) => {
    const layout = LAYOUTS[(LAYOUTS.indexOf(state.view.layout) + 1) % LAYOUTS.length] ?? 'all';
    out.push({ type: 'settings.save', key: 'layout', value: layout });
    return withNotice(
      withView(state, { layout, zoomed: null }),
      event,
      'info',
      `layout: ${layout.replace('-', ' and ')}`,
      null,
    );
  },
  'pane.zoom': (state) => withView(state, { zoomed: state.view.zoomed ? null : zoomable(state.view.pane) }),
  'machine.history': (state) =>
    withView(state, { zoomed: state.view.zoomed === 'machine' ? null : 'machine' }),
  'message.send': (state, event, out) => submit(state, event, out),
  'message.edit-externally': (state, _event, out) =>
    effect(state, out, { type: 'editor.open', text: state.prompt.text }),
  'transcript.search': (state) =>
    withView(state, { filtering: { pane: 'transcript', inverse: false, prompt: EMPTY_PROMPT } }),
  'machine.faster': (state, event) => withInterval(state, event, -1),
  'machine.slower': (state, event) => withInterval(state, event, 1),
};

/** The ids of all commands that the state answers, for the test that no key is dead. */
export const COMMAND_IDS: readonly string[] = Object.keys(COMMANDS);

export function updateCommand(state: State, event: Command, out: Effect[]): State {
  const run = COMMANDS[event.command];
  return run ? run(state, event, out) : state;
}

/** Closes what is open; else stops the answer; else goes back to the message box. */
function onEscape(state: State, event: Command, out: Effect[]): State {
  if (state.view.filtering) return withView(state, { filtering: null });
  if (serverFormOf(state)) return leaveServer(state);
  if (state.view.overlays.length > 0) return closeOverlay(state);
  if (isTurnLogFocused(state)) return leaveTurnLog(state);
  if (state.chat.live) return cancelTurn(state, event, out);
  if (state.view.zoomed) return withView(state, { zoomed: null });
  const left = state.view.pane === 'message' ? leaveSetUp(state, out) : null;
  if (left) return left;
  return withView(state, {
    pane: 'message',
    anchor: state.view.pane === 'message' ? null : state.view.anchor,
  });
}

/** Ctrl+C: stops the answer; with none running empties the message; twice on an empty one quits. */
function onInterrupt(state: State, event: Command, out: Effect[]): State {
  if (state.chat.live) return cancelTurn(state, event, out);
  if (state.view.overlays.length > 0 || state.view.filtering) return onEscape(state, event, out);
  if (state.prompt.text !== '') return { ...state, prompt: editPrompt(state.prompt, { op: 'clear' }) };
  const armed = state.view.quitArmedMono;
  if (armed !== null && event.mono - armed <= QUIT_ARMED_MS)
    return askAboutOwnServers(withView(state, { quitArmedMono: null })) ?? quit(state, out);
  return withNotice(
    withView(state, { quitArmedMono: event.mono }),
    event,
    'info',
    'Ctrl+C again quits',
    // Of pulls it does not ask.
    isFetching(state) ? PULLS_STOP : null,
  );
}

function isFetching(state: State): boolean {
  return unfinishedPulls(state).length > 0 || state.setUp.job !== null;
}

function askToQuit(state: State): State {
  const { job } = state.setUp;
  const names = [...(job ? [job.title] : []), ...unfinishedPulls(state).map(({ name }) => name)];
  return openOverlay(state, 'question', null, {
    title: 'Models are being pulled',
    lines: [`${names.join(', ')}: not complete.`, PULLS_STOP],
    choices: [
      { key: 'n', label: 'stay', event: null },
      {
        key: 'y',
        label: 'quit',
        event: { type: 'command.invoked', command: 'app.quit', argument: 'anyway' },
      },
    ],
  });
}

/** `anyway`: pulls may stop; `leave` and `end`: so may they, and it is told what becomes of servers that were started from here. */
function onQuit(state: State, event: Command, out: Effect[]): State {
  const { argument } = event;
  if (argument === undefined && isFetching(state)) return askToQuit(state);
  const told = argument === 'leave' || argument === 'end';
  const asked = told ? null : askAboutOwnServers(state);
  if (asked) return asked;
  if (argument === 'leave') out.push({ type: 'servers.leave' });
  return quit(cancelTurn(state, event, out), out);
}

function quit(state: State, out: Effect[]): State {
  out.push({ type: 'app.quit', exitCode: 0 });
  return state;
}

/** Sends the message, or lets it wait behind the running answer; messages that wait go first. */
export function submit(state: State, event: Stamped, out: Effect[]): State {
  const text = state.prompt.text;
  const blank = text.trim() === '';
  const waiting = blank ? state.chat.queue : [...state.chat.queue, text];
  const [first, ...rest] = waiting;
  if (first === undefined || (blank && state.chat.live)) return state;
  const model = modelByKey(state, state.models.selected);
  if (!model && (waitsForModel(state) || waitsForServers(state)))
    return blank ? state : withWaiting(state, event, waiting, out);
  if (!model && !missingModel(state)) return withoutModelToAsk(state, event);
  const held = state.chat.live ? null : heldOff(state, event);
  if (held) return held;
  if (!blank) out.push({ type: 'history.remember', text });
  const emptied: State = blank ? state : { ...state, prompt: editPrompt(state.prompt, { op: 'sent' }) };
  if (state.chat.live) return { ...emptied, chat: { ...state.chat, queue: waiting } };
  const next: State = { ...emptied, chat: { ...state.chat, queue: rest } };
  if (!model || !isTooLarge(state, model)) return startTurn(next, event, first, out);
  return askBeforeLoad(next, model, { pin: false, send: first });
}

/** It is sent as soon as the model that is being set up is there. */
function withWaiting(state: State, event: Stamped, queue: readonly string[], out: Effect[]): State {
  out.push({ type: 'history.remember', text: state.prompt.text });
  return withNotice(
    { ...state, prompt: editPrompt(state.prompt, { op: 'sent' }), chat: { ...state.chat, queue } },
    event,
    'info',
    'the message waits, and is sent when the model is ready',
    'Up takes it back.',
    MESSAGE_WAITS,
  );
}

/** Sends the first of the messages that waited for a model. */
export function sendWaiting(state: State, event: Stamped, out: Effect[]): State {
  const [first, ...rest] = state.chat.queue;
  const model = modelByKey(state, state.models.selected);
  if (first === undefined || state.chat.live || !model) return state;
  const next = withNewsOver({ ...state, chat: { ...state.chat, queue: rest } }, MESSAGE_WAITS);
  return isTooLarge(state, model)
    ? askBeforeLoad(next, model, { pin: false, send: first })
    : startTurn(next, event, first, out);
}

function withInterval(state: State, event: Command, step: -1 | 1): State {
  const at = INTERVALS_MS.indexOf(sampleIntervalMs(state));
  const intervalMs =
    INTERVALS_MS[Math.min(INTERVALS_MS.length - 1, Math.max(0, (at < 0 ? 1 : at) + step))] ?? 1000;
  return withNotice(
    { ...state, hardware: { ...state.hardware, intervalMs, intervalChosen: true } },
    event,
    'info',
    `a sample every ${intervalMs / 1000} s`,
    null,
  );
}

function zoomable(pane: PaneId): PaneId {
  return pane === 'message' ? 'transcript' : pane;
}
