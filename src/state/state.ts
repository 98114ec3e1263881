import type { Turn } from '../domain/chat.js';
import type {
  GpuSample,
  MachineDetail,
  MachineFacts,
  MachineId,
  MachineSample,
  SourceState,
} from '../domain/hardware.js';
import type { LogLevel, LogLine, LogSourceState } from '../domain/log.js';
import { EMPTY_RING, type LogRing } from '../domain/log-ring.js';
import type { LogSpan } from '../domain/log-span.js';
import type { LogWarningKind } from '../domain/log-warnings.js';
import type { Fault } from '../domain/fault.js';
import type { BackendCheck, BackendInfo, Model, ModelDetails, ServerOrigin } from '../domain/model.js';
import type { PastLoad } from '../domain/past-loads.js';
import type { PullMeter } from '../domain/pull-meter.js';
import type { SetUpOffer } from '../domain/set-up.js';
import type { LayoutName, Settings } from '../domain/settings.js';
import type {
  AppEvent,
  ChatSummary,
  NoticeLevel,
  OverlayId,
  PaneId,
  TranscriptAnchor,
} from '../events/catalogue.js';
import type { PressureWatch } from './pressure.js';
import { EMPTY_PROMPT, type PromptState } from './prompt.js';
import type { Pull } from './pulls.js';
import type { ServerForm } from './server-form.js';

/** A server in the tree. */
export interface BackendEntry {
  readonly info: BackendInfo;
  /** Named by the user: listed even when away. */
  readonly fixed: boolean;
  readonly rank: number;
  readonly origin: ServerOrigin;
  /** While it is away: epoch ms of the next question. */
  readonly nextTryMs: number | null;
  readonly check: BackendCheck;
  readonly models: readonly Model[];
  /** The list is from the disk and the server has not confirmed it yet. */
  readonly cached: boolean;
}

/** A load of ours. */
export interface LoadUnderWay {
  /** Fraction 0..1; null: the server does not tell. */
  readonly progress: number | null;
  /** What told it; null: nobody did. */
  readonly source: string | null;
  readonly sinceMono: number;
}

/** A server that was started from here. */
export interface StartedServer {
  readonly pid: number;
  readonly command: string;
  readonly logFile: string;
  readonly sinceMono: number;
  /** Its end was asked for. */
  readonly stopping: boolean;
}

/** What a server told of one model when it was asked for it. Both null: it is being asked, or there is nothing more to be told. */
export interface DetailsEntry {
  readonly asking: boolean;
  readonly details: ModelDetails | null;
  readonly fault: Fault | null;
}

/** A load that will not fit, and what is offered instead. */
export interface PendingLoad {
  readonly key: string;
  readonly pin: boolean;
  /** The message that it is for; null: it was loaded by hand. */
  readonly send: string | null;
  /** A context that fits. */
  readonly smaller: number | null;
  /** Keys of a model that could be unloaded, and of one that could be taken instead. */
  readonly unload: string | null;
  readonly instead: string | null;
}

export interface ModelsState {
  /** By rank. */
  readonly backends: readonly BackendEntry[];
  /** All servers were asked once. */
  readonly searched: boolean;
  readonly selected: string | null;
  /** The user chose it in this run; until then a better first choice may replace it. */
  readonly chosen: boolean;
  /** Keys of the models used, latest first. */
  readonly recent: readonly string[];
  /** By key. */
  readonly loading: ReadonlyMap<string, LoadUnderWay>;
  /** Key → since when (monotonic); until the server lists the model as not loaded. */
  readonly unloading: ReadonlyMap<string, number>;
  /** Keys; until the server does not list the model any more. */
  readonly deleting: ReadonlySet<string>;
  /** In the order in which they were wanted. */
  readonly pulls: readonly Pull[];
  /** By digest, where a model has one, else by key. */
  readonly details: ReadonlyMap<string, DetailsEntry>;
  /** What models really took when they were loaded, of earlier runs too; the newest last. */
  readonly loads: readonly PastLoad[];
  /** What is done when an unload has ended well. */
  readonly afterUnload: { readonly key: string; readonly event: AppEvent } | null;
  /** A load that was asked about, until it is chosen what becomes of it. */
  readonly pendingLoad: PendingLoad | null;
  /** Kinds of servers whose program is on this machine. */
  readonly installed: readonly string[];
  /** Servers that were started from here and run, by id. */
  readonly started: ReadonlyMap<string, StartedServer>;
  /** Servers folded in the tree. */
  readonly folded: ReadonlySet<string>;
  /** The row under the cursor of the models pane: a model key, a backend id or the id of a pull. */
  readonly cursor: string | null;
  readonly preloaded: boolean;
  /** An unknown model name was told already. */
  readonly unknownTold: boolean;
  /** So were the names of the fall-back list that no server has. */
  readonly unknownFallbackTold: boolean;
}

export interface ChatState {
  readonly id: string;
  readonly title: string;
  /** The file of this chat exists. */
  readonly stored: boolean;
  /** Ended turns; a running one stands apart so that a delta copies nothing. */
  readonly done: readonly Turn[];
  readonly live: Turn | null;
  /** Messages that wait for the running answer to end. */
  readonly queue: readonly string[];
  /** Ids of turns that are not sent any more, to make room in the context. */
  readonly dropped: readonly string[];
  /** A message that would not fit and waits for what the user chooses. */
  readonly unsent: Unsent | null;
  /** Figures of the running answer as shown: taken at most four times a second. */
  readonly shownPieces: number;
  readonly shownMono: number;
  /** Time without any word of the running answer: `ms` so far, counted up to `mono`. */
  readonly silence: { readonly ms: number; readonly mono: number };
  /** When it was last told what the server of a stopped answer does. */
  readonly aftermathMono: number;
  /** Turns whose thinking is unfolded. */
  readonly unfolded: ReadonlySet<string>;
  readonly chats: readonly ChatSummary[];
}

export interface Unsent {
  readonly text: string;
  /** The turn that its new answer replaces: one that the server refused, or one that is asked again. */
  readonly replaces: string | null;
  /** What its server counted before it went out; absent: it is weighed by an estimate. */
  readonly counted?: Counted;
}

/** An exact count of a whole request, for one model. */
export interface Counted {
  readonly modelKey: string;
  readonly promptTokens: number;
  readonly contextTokens: number;
}

/** A model that is to run on this machine without a server. */
export interface SetUpState {
  /** Null: not known yet, or there is no engine for this system. */
  readonly offer: SetUpOffer | null;
  /** A question is wanted, and waits for its figures. */
  readonly asking: boolean;
  readonly job: SetUpJob | null;
  /** Why the last one failed, until the next try. */
  readonly failed: Fault | null;
  /** The key of the model that was set up, until it is listed and chosen. */
  readonly awaited: string | null;
}

/** The engine and a model are being fetched. Its meter measures both as one. */
export interface SetUpJob extends PullMeter {
  readonly title: string;
  readonly startedMono: number;
  /** The model is wanted for the chat: there was none when it was begun. */
  readonly choose: boolean;
  /** Its figures are reckoned. */
  readonly estimated: boolean;
}

/** Ten minutes at one a second. */
export const HISTORY_SAMPLES = 600;

/** What is known of one machine. */
export interface MachineReadings {
  readonly sample: MachineSample | null;
  readonly sampledMono: number | null;
  readonly gpus: readonly GpuSample[];
  readonly gpusMono: number | null;
  readonly detail: MachineDetail | null;
  readonly facts: MachineFacts | null;
  readonly sources: ReadonlyMap<string, SourceState>;
  /** Newest last; null is a gap. */
  readonly cpuHistory: readonly (number | null)[];
  readonly memoryHistory: readonly (number | null)[];
  /** When the samples of both were taken (monotonic). */
  readonly sampleMonos: readonly number[];
  /** Of the busiest GPU. */
  readonly gpuHistory: readonly (number | null)[];
  readonly gpuMonos: readonly number[];
}

export interface HardwareState {
  /** This machine, and those of servers elsewhere that were looked at. */
  readonly machines: ReadonlyMap<MachineId, MachineReadings>;
  readonly intervalMs: number;
  /** It was chosen by key, so that a battery does not change it. */
  readonly intervalChosen: boolean;
  /** The machine whose readings are wanted now; null: nothing of it is on the screen. */
  readonly watching: MachineId | null;
  /** What was seen and told of memory that is getting short. */
  readonly pressure: ReadonlyMap<MachineId, PressureWatch>;
}

export const NO_READINGS: MachineReadings = {
  sample: null,
  sampledMono: null,
  gpus: [],
  gpusMono: null,
  detail: null,
  facts: null,
  sources: new Map(),
  cpuHistory: [],
  memoryHistory: [],
  sampleMonos: [],
  gpuHistory: [],
  gpuMonos: [],
};

/** A place that lines of the log come from. */
export interface LogSourceEntry {
  readonly name: string;
  /** As it is written in the configuration. */
  readonly place: string;
  /** Named by the user; else found. */
  readonly asked: boolean;
  /** The servers whose log it is; empty: nobody told. */
  readonly backendIds: readonly string[];
  readonly status: LogSourceState;
}

/** The log of one answer is looked at. */
export interface TurnLog {
  readonly turnId: string;
  readonly span: LogSpan;
  /** Null: the server is not in the list any more. */
  readonly backendId: string | null;
  readonly backendTitle: string;
  /** What was shown before, and is shown again behind it. */
  readonly before: Pick<LogsState, 'held' | 'source' | 'filter'> & Pick<ViewState, 'pane' | 'zoomed'>;
}

/** A load, now or a moment ago, that lines of the log may be about. Epoch ms. */
export interface LoggedLoad {
  readonly key: string;
  readonly backendId: string;
  readonly from: number;
  readonly to: number | null;
  /** What was warned of. */
  readonly told: readonly LogWarningKind[];
}

export interface LogsState {
  readonly ring: LogRing;
  readonly level: LogLevel;
  readonly filter: { readonly pattern: string; readonly inverse: boolean } | null;
  /** Null: all sources. */
  readonly source: string | null;
  /** Names, in the order in which they were first seen. */
  readonly sources: readonly string[];
  readonly opened: readonly LogSourceEntry[];
  /** Time of the last line of each source, by which the next ones are put among those of the others. */
  readonly lastTimes: ReadonlyMap<string, number>;
  /** By source: a line that is still being written over. */
  readonly progress: ReadonlyMap<string, LogLine>;
  /** Null follows the end; else the number of the last visible line. */
  readonly held: number | null;
  readonly wrap: boolean;
  readonly turn: TurnLog | null;
  /** The latest few, the newest last. */
  readonly loads: readonly LoggedLoad[];
}

/** A line that is typed inside a pane: the log filter or the search in the transcript. */
export interface FilterInput {
  readonly pane: 'log' | 'transcript';
  readonly inverse: boolean;
  /** A time to go to is typed, no filter. */
  readonly asksTime?: true;
  readonly prompt: PromptState;
}

export interface Choice {
  readonly key: string;
  readonly label: string;
  /** Published when it is chosen; none only closes the question. */
  readonly event: AppEvent | null;
}

export interface Question {
  readonly title: string;
  readonly lines: readonly string[];
  readonly choices: readonly Choice[];
  /** Index of the choice that Esc takes; the first one where it is absent. */
  readonly leave?: number;
}

export interface Overlay {
  readonly id: OverlayId;
  readonly query: PromptState;
  readonly index: number;
  readonly question: Question | null;
  /** What it is about, e.g. the key of a model. */
  readonly subject: string | null;
  /** Of the overlay `server`. */
  readonly form?: ServerForm;
}

export interface Notice {
  readonly id: number;
  readonly at: number;
  readonly mono: number;
  readonly level: NoticeLevel;
  readonly text: string;
  readonly hint: string | null;
  /** Id of the server whose bad news it is. */
  readonly about: string | null;
  /** Not so any more: it stays in the list of what was told, and leaves the panes. */
  readonly over: boolean;
}

export interface ViewState {
  readonly width: number;
  readonly height: number;
  readonly focused: boolean;
  readonly pane: PaneId;
  readonly zoomed: PaneId | null;
  readonly layout: LayoutName;
  readonly shown: readonly PaneId[];
  readonly overlays: readonly Overlay[];
  readonly anchor: TranscriptAnchor | null;
  readonly search: string;
  readonly filtering: FilterInput | null;
  /** Monotonic time of the first Ctrl+C on an empty message. */
  readonly quitArmedMono: number | null;
  /** Which way on is focused while there is no server. */
  readonly waysIndex: number;
}

export interface State {
  readonly version: string;
  readonly settings: Settings;
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
    version: '',
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
    },
    notices: [],
  };
}

export function emptyChat(id: string): ChatState {
  return {
    id,
    title: '',
    stored: false,
    done: [],
    live: null,
    queue: [],
    dropped: [],
    unsent: null,
    shownPieces: 0,
    shownMono: 0,
    silence: { ms: 0, mono: 0 },
    aftermathMono: 0,
    unfolded: new Set(),
    chats: [],
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
