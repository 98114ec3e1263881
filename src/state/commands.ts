import { fencedBlocks } from '../domain/code-blocks.js';
import type { Model } from '../domain/model.js';
import type { LayoutName } from '../domain/settings.js';
import { wholeText } from '../domain/text.js';
import type { Turn } from '../domain/chat.js';
import type { LogLevel } from '../domain/log.js';
import type { AppEvent, PaneId, Stamped } from '../events/catalogue.js';
import { cancelTurn, newChat, startTurn } from './chat.js';
import type { Effect } from './effect.js';
import { INTERVALS_MS } from './hardware.js';
import { fitOfModel, withModels } from './models.js';
import { withNotice } from './notices.js';
import { editPrompt, EMPTY_PROMPT } from './prompt.js';
import { backendById, modelByKey, type State, type Question } from './state.js';
import { closeOverlay, openOverlay, withView } from './view.js';

type Command = Stamped & { readonly type: 'command.invoked' };

/** Two Ctrl+C on an empty message within this time quit. */
const QUIT_ARMED_MS = 2000;
const LAYOUTS: readonly LayoutName[] = ['all', 'chat-machine', 'chat'];

/** What each command does. Commands that need the layout of the screen (scrolling) are done by src/tui and arrive as other events. */
const COMMANDS: Readonly<Record<string, (state: State, event: Command, out: Effect[]) => State>> = {
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
  'app.quit': (state, event, out) => quit(cancelTurn(state, event, out), out),
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
  'model.use': (state, event, out) => onModel(state, event, (model) => useModel(state, event, model, out)),
  'model.load': (state, event, out) =>
    onModel(state, event, (model) => load(state, event, model, out, false)),
  'model.load-anyway': (state, event, out) =>
    onModel(state, event, (model) => load(state, event, model, out, true)),
  'model.unload': (state, event, out) => onModel(state, event, (model) => unload(state, event, model, out)),
  'model.details': (state, event) => {
    const server = event.argument ?? (state.view.pane === 'models' ? state.models.cursor : null);
    if (server !== null && backendById(state, server)) return openOverlay(state, 'details', server);
    return onModel(state, event, (model) => openOverlay(state, 'details', model.key));
  },
  'server.fold': onFold,
  'turn.send-anyway': (state, event, out) => startTurn(state, event, event.argument ?? '', out),
  'turn.retry': onRetry,
  'turn.edit': onEditTurn,
  'turn.copy': (state, _event, out) => copy(state, out, turnOf(state, _event)?.answer ?? null, 'message'),
  'turn.copy-code': onCopyCode,
  'turn.thinking': onThinking,
  'transcript.search': (state) =>
    withView(state, { filtering: { pane: 'transcript', inverse: false, prompt: EMPTY_PROMPT } }),
  'log.follow': (state) => ({
    ...state,
    logs: { ...state.logs, held: state.logs.held === null ? state.logs.ring.end - 1 : null },
  }),
  'log.wrap': (state) => ({ ...state, logs: { ...state.logs, wrap: !state.logs.wrap } }),
  'log.filter': (state) => editFilter(state, false),
  'log.filter-inverse': (state) => editFilter(state, true),
  'log.level-error': (state) => withLevel(state, 'error'),
  'log.level-warn': (state) => withLevel(state, 'warn'),
  'log.level-info': (state) => withLevel(state, 'info'),
  'log.level-debug': (state) => withLevel(state, 'debug'),
  'log.source': (state) => {
    const choices = [null, ...state.logs.sources];
    const source = choices[(choices.indexOf(state.logs.source) + 1) % choices.length] ?? null;
    return { ...state, logs: { ...state.logs, source } };
  },
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
  if (state.view.overlays.length > 0) return closeOverlay(state);
  if (state.chat.live) return cancelTurn(state, event, out);
  if (state.view.zoomed) return withView(state, { zoomed: null });
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
  if (armed !== null && event.mono - armed <= QUIT_ARMED_MS) return quit(state, out);
  return withNotice(
    withView(state, { quitArmedMono: event.mono }),
    event,
    'info',
    'Ctrl+C again quits',
    null,
  );
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
  if (!model)
    return withNotice(
      state,
      event,
      'warn',
      'no model to ask',
      'Start a server ("ollama serve"), or press Ctrl+O for the list of models.',
    );
  if (!blank) out.push({ type: 'history.remember', text });
  const emptied: State = blank ? state : { ...state, prompt: editPrompt(state.prompt, { op: 'sent' }) };
  if (state.chat.live) return { ...emptied, chat: { ...state.chat, queue: waiting } };
  const next: State = { ...emptied, chat: { ...state.chat, queue: rest } };
  if (!isTooLarge(state, model)) return startTurn(next, event, first, out);
  const send = { type: 'command.invoked', command: 'turn.send-anyway', argument: first } as const;
  const leave = { type: 'prompt.edited', edit: { op: 'set', text: first } } as const;
  return openOverlay(next, 'question', model.key, tooLarge(state, model, 'ask it', send, leave));
}

function isTooLarge(state: State, model: Model): boolean {
  return model.loadState === 'unloaded' && fitOfModel(state, model).verdict === 'short';
}

function tooLarge(state: State, model: Model, verb: string, go: AppEvent, leave: AppEvent | null): Question {
  const fit = fitOfModel(state, model);
  return {
    title: 'More than the free memory',
    lines: [
      `${model.label} needs about ${gigabytes(fit.neededBytes)}, free are ${gigabytes(fit.freeBytes)}.`,
      'Loading it may push other programs out of memory.',
    ],
    choices: [
      { key: 'n', label: 'leave it', event: leave },
      { key: 'y', label: `load and ${verb}`, event: go },
      { key: 'm', label: 'another model', event: { type: 'command.invoked', command: 'model.pick' } },
    ],
  };
}

function useModel(state: State, event: Command, model: Model, out: Effect[]): State {
  if (!model.chat) return withNotice(state, event, 'warn', `${model.label} is not a chat model`, null);
  out.push({ type: 'model.remember', key: model.key });
  const chosen = withModels(state, {
    selected: model.key,
    chosen: true,
    cursor: model.key,
    recent: [model.key, ...state.models.recent.filter((k) => k !== model.key)].slice(0, 20),
  });
  const next = withView(chosen, { pane: 'message' });
  return state.chat.live
    ? withNotice(next, event, 'info', `${model.label} answers the next message`, null)
    : next;
}

function load(state: State, event: Command, model: Model, out: Effect[], anyway: boolean): State {
  const backend = backendById(state, model.backendId);
  if (!backend?.info.features.load)
    return withNotice(
      state,
      event,
      'info',
      `${backend?.info.title ?? 'this server'} loads its model itself`,
      null,
    );
  if (model.loadState === 'loaded' || state.models.loading.has(model.key))
    return withNotice(
      state,
      event,
      'info',
      `${model.label} is ${model.loadState === 'loaded' ? 'loaded' : 'being loaded'} already`,
      null,
    );
  if (!anyway && isTooLarge(state, model))
    return openOverlay(
      state,
      'question',
      model.key,
      tooLarge(
        state,
        model,
        'keep it',
        { type: 'command.invoked', command: 'model.load-anyway', argument: model.key },
        null,
      ),
    );
  out.push({ type: 'model.load', key: model.key });
  return state;
}

function unload(state: State, event: Command, model: Model, out: Effect[]): State {
  const backend = backendById(state, model.backendId);
  if (!backend?.info.features.unload)
    return withNotice(
      state,
      event,
      'info',
      `${backend?.info.title ?? 'this server'} keeps its model`,
      'It is unloaded when the server stops.',
    );
  if (model.loadState === 'unloaded')
    return withNotice(state, event, 'info', `${model.label} is not loaded`, null);
  out.push({ type: 'model.unload', key: model.key });
  return state;
}

/** The model named by the command, else the one under the cursor of the models pane, else the selected one. */
function onModel(state: State, event: Command, run: (model: Model) => State): State {
  const key = event.argument ?? (state.view.pane === 'models' ? state.models.cursor : state.models.selected);
  const model = modelByKey(state, key);
  if (model) return run(model);
  return key !== null && backendById(state, key)
    ? onFold(state, { ...event, argument: key })
    : withNotice(state, event, 'info', 'no model there', null);
}

function onFold(state: State, event: Command): State {
  const key = event.argument ?? state.models.cursor ?? '';
  if (!backendById(state, key)) return state;
  const folded = new Set(state.models.folded);
  if (!folded.delete(key)) folded.add(key);
  return withModels(state, { folded });
}

/** The turn named by the command, else the last one. */
function turnOf(state: State, event: Command): Turn | null {
  if (state.chat.live && (!event.argument || state.chat.live.id === event.argument)) return state.chat.live;
  return state.chat.done.find((t) => t.id === event.argument) ?? state.chat.done.at(-1) ?? null;
}

function onRetry(state: State, event: Command, out: Effect[]): State {
  const turn = turnOf(state, event);
  if (!turn || state.chat.live) return state;
  const last = state.chat.done.at(-1);
  // The same question again replaces what the last answer would add to the context; the old answer stays in the chat's file.
  const done = last?.id === turn.id ? state.chat.done.slice(0, -1) : state.chat.done;
  return startTurn({ ...state, chat: { ...state.chat, done } }, event, turn.prompt, out);
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

function onThinking(state: State, event: Command): State {
  const turn = turnOf(state, event);
  if (!turn) return state;
  const unfolded = new Set(state.chat.unfolded);
  if (!unfolded.delete(turn.id)) unfolded.add(turn.id);
  return { ...state, chat: { ...state.chat, unfolded } };
}

function editFilter(state: State, inverse: boolean): State {
  const pattern = state.logs.filter?.pattern ?? '';
  return withView(state, {
    filtering: { pane: 'log', inverse, prompt: editPrompt(EMPTY_PROMPT, { op: 'set', text: pattern }) },
  });
}

function withLevel(state: State, level: LogLevel): State {
  return { ...state, logs: { ...state.logs, level } };
}

function withInterval(state: State, event: Command, step: -1 | 1): State {
  const at = INTERVALS_MS.indexOf(state.hardware.intervalMs);
  const intervalMs =
    INTERVALS_MS[Math.min(INTERVALS_MS.length - 1, Math.max(0, (at < 0 ? 1 : at) + step))] ?? 1000;
  return withNotice(
    { ...state, hardware: { ...state.hardware, intervalMs } },
    event,
    'info',
    `a sample every ${intervalMs / 1000} s`,
    null,
  );
}

function zoomable(pane: PaneId): PaneId {
  return pane === 'message' ? 'transcript' : pane;
}

function effect(state: State, out: Effect[], wanted: Effect): State {
  out.push(wanted);
  return state;
}

function gigabytes(bytes: number | null): string {
  return bytes === null ? '—' : `${(bytes / 1e9).toFixed(1)} GB`;
}
