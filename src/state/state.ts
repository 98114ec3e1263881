import type { Turn } from '../domain/chat.js';
import { EMPTY_RING } from '../domain/log-ring.js';
import type { Model } from '../domain/model.js';
import type { Settings } from '../domain/settings.js';
import { emptyChat, type ChatState } from './chat-state.js';
import type { HardwareState } from './hardware-state.js';
import type { LogsState } from './logs-state.js';
import type { BackendEntry, ModelsState } from './models-state.js';
import { EMPTY_PROMPT, type PromptState } from './prompt.js';
import type { Pull } from './pulls.js';
import type { SetUpState } from './set-up-state.js';
import type { Notice, ViewState } from './view-state.js';

// The slices stand in files of their own; whoever works with the whole state finds all of it here.
export * from './chat-state.js';
export * from './hardware-state.js';
export type * from './logs-state.js';
export type * from './models-state.js';
export type * from './set-up-state.js';
export type * from './view-state.js';

/** All that the screen shows and that decides what happens next. Only `update` makes a new one, from the one before and an event. */
export interface State {
  readonly settings: Settings;
  /** Begins the ids of chats and turns, so that those of two runs differ. */
  readonly idSeed: string;
  /** Time as last told by an event; what is shown as elapsed is counted from it. */
  readonly at: number;
  readonly mono: number;
  readonly models: ModelsState;
  readonly chat: ChatState;
  readonly prompt: PromptState;
  readonly setUp: SetUpState;
  readonly hardware: HardwareState;
  readonly logs: LogsState;
  readonly view: ViewState;
  readonly notices: readonly Notice[];
}

/** The state before the first event. */
export function initialState(settings: Settings): State {
  return {
    settings,
    idSeed: 'x',
    at: 0,
    mono: 0,
    models: {
      backends: [],
      searched: false,
      selected: null,
      chosen: false,
      recent: [],
      loading: new Map(),
      unloading: new Map(),
      deleting: new Set(),
      pulls: [],
      details: new Map(),
      loads: [],
      afterUnload: null,
      afterDetails: new Map(),
      pendingLoad: null,
      installed: [],
      started: new Map(),
      folded: new Set(),
      cursor: null,
      preloaded: false,
      unknownTold: false,
      unknownFallbackTold: false,
    },
    chat: emptyChat('x'),
    prompt: EMPTY_PROMPT,
    setUp: { offer: null, asking: false, job: null, failed: null, awaited: null },
    hardware: {
      machines: new Map(),
      intervalMs: settings.sampleMs,
      intervalChosen: false,
      watching: null,
      pressure: new Map(),
    },
    logs: {
      ring: EMPTY_RING,
      level: settings.logLevel,
      filter: null,
      source: null,
      sources: [],
      opened: [],
      lastTimes: new Map(),
      progress: new Map(),
      held: null,
      wrap: false,
      turn: null,
      loads: [],
    },
    view: {
      width: 80,
      height: 24,
      focused: true,
      pane: 'message',
      zoomed: null,
      layout: settings.layout,
      shown: [],
      overlays: [],
      anchor: null,
      search: '',
      filtering: null,
      quitArmedMono: null,
      waysIndex: 0,
      machineRow: 0,
    },
    notices: [],
  };
}

/** All models of all servers, in the order of the tree. */
export function allModels(state: State): readonly Model[] {
  return state.models.backends.flatMap((b) => b.models);
}

export function modelByKey(state: State, key: string | null): Model | null {
  if (key === null) return null;
  for (const entry of state.models.backends)
    for (const model of entry.models) if (model.key === key) return model;
  return null;
}

export function backendById(state: State, id: string): BackendEntry | null {
  return state.models.backends.find((b) => b.info.id === id) ?? null;
}

export function pullById(state: State, id: string | null): Pull | null {
  return state.models.pulls.find((pull) => pull.id === id) ?? null;
}

export function withModels(state: State, change: Partial<ModelsState>): State {
  return { ...state, models: { ...state.models, ...change } };
}

/** The turn of this id, running or done; null for one of another chat. */
export function turnById({ chat }: State, id: string | null): Turn | null {
  return chat.live?.id === id ? chat.live : (chat.done.findLast((turn) => turn.id === id) ?? null);
}

export function withEntry(state: State, id: string, change: (entry: BackendEntry) => BackendEntry): State {
  return withModels(state, {
    backends: state.models.backends.map((b) => (b.info.id === id ? change(b) : b)),
  });
}
