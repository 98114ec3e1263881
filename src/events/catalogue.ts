import type { Aftermath, Outcome, PrefillProgress, Truncation, Turn, Usage } from '../domain/chat.js';
import type { Fault } from '../domain/fault.js';
import type {
  GpuSample,
  MachineDetail,
  MachineFacts,
  MachineId,
  MachineSample,
  MemoryCheck,
  SourceState,
} from '../domain/hardware.js';
import type { LogLine, LogSourceState } from '../domain/log.js';
import type {
  BackendCheck,
  BackendInfo,
  Model,
  ModelDetails,
  PullProgress,
  ServerOrigin,
} from '../domain/model.js';
import type { PastLoad } from '../domain/past-loads.js';
import type { SetUpEnd, SetUpOffer, SetUpProgress } from '../domain/set-up.js';
import type { Settings } from '../domain/settings.js';

/** A change of the message in the editor; applied by state/prompt.ts. Offsets count UTF-16 units. */
export type Edit =
  | { readonly op: 'insert'; readonly text: string }
  /** A paste: inserted whole, one step of undo, never sent by itself. */
  | { readonly op: 'paste'; readonly text: string }
  | { readonly op: 'move'; readonly by: 'char' | 'word' | 'line' | 'all'; readonly direction: -1 | 1 }
  /** To an offset that the view computed (visual rows). `column` keeps the wished column over short rows. */
  | { readonly op: 'moveTo'; readonly offset: number; readonly column: number }
  | { readonly op: 'delete'; readonly by: 'char' | 'word' | 'line'; readonly direction: -1 | 1 }
  | { readonly op: 'yank' }
  | { readonly op: 'undo' }
  | { readonly op: 'redo' }
  | { readonly op: 'history'; readonly direction: -1 | 1 }
  | { readonly op: 'set'; readonly text: string }
  | { readonly op: 'clear' }
  /** The message went out: it becomes the newest of the history and the box is empty. */
  | { readonly op: 'sent' };

export type PaneId = 'models' | 'machine' | 'transcript' | 'message' | 'log';

/** `server`: the form for a new server; `pull`: the name of a model to fetch; `answer`: where the figures of an answer come from; `sources`: of the log; `catalogue`: models that lmapp
 * can fetch by itself. */
export type OverlayId =
  | 'menu'
  | 'models'
  | 'keys'
  | 'chats'
  | 'question'
  | 'notices'
  | 'details'
  | 'server'
  | 'pull'
  | 'answer'
  | 'sources'
  | 'catalogue';

export type NoticeLevel = 'info' | 'good' | 'warn' | 'bad';

/** A row of the transcript: which entry, and which of its rows. */
export interface TranscriptAnchor {
  readonly entryId: string;
  readonly row: number;
}

/** What is stored of a chat, as the list of chats shows it. */
export interface ChatSummary {
  readonly id: string;
  readonly title: string;
  readonly updatedAt: number;
  readonly turns: number;
}

/** A chat as read from its file. */
export interface StoredChat {
  readonly id: string;
  readonly title: string;
  readonly createdAt: number;
  readonly turns: readonly Turn[];
  /** Lines that could not be read; they stay in the file. */
  readonly skippedLines: number;
}

/** A model file that a server can be started with. */
export interface StartFile {
  readonly path: string;
  readonly label: string;
  readonly sizeBytes: number;
}

/** Every event of the program. Plain serialisable data; the bus adds `seq`, `at` and `mono`. */
export type AppEvent =
  // The program
  /** `idSeed` makes the ids of chats and turns of this run unique. */
  | {
      readonly type: 'app.started';
      readonly version: string;
      readonly settings: Settings;
      readonly problems: readonly string[];
      readonly idSeed: string;
    }
  | { readonly type: 'app.stopping'; readonly exitCode: number }
  | { readonly type: 'app.faulted'; readonly where: string; readonly message: string }
  | { readonly type: 'clock.ticked' }
  // Servers
  | { readonly type: 'backends.searched'; readonly found: number }
  /** `fixed`: named by a flag, the environment or the configuration; listed even when away. `rank` orders the tree. */
  | {
      readonly type: 'backend.found';
      readonly backend: BackendInfo;
      readonly fixed: boolean;
      readonly rank: number;
      /** Absent in records of earlier versions. */
      readonly origin?: ServerOrigin;
    }
  /** `nextTryMs`: epoch ms of the next question to a server that is away. */
  | {
      readonly type: 'backend.checked';
      readonly backendId: string;
      readonly check: BackendCheck;
      readonly nextTryMs?: number;
    }
  /** It is not listed any more. */
  | { readonly type: 'backend.removed'; readonly backendId: string }
  | {
      readonly type: 'backend.lost';
      readonly backendId: string;
      readonly fault: Fault;
      readonly nextTryMs?: number;
    }
  // Models
  /** The model that was chosen last in an earlier run. */
  | { readonly type: 'model.remembered'; readonly key: string }
  /** What models took when they were loaded in earlier runs. */
  | { readonly type: 'loads.remembered'; readonly loads: readonly PastLoad[] }
  | {
      readonly type: 'models.listed';
      readonly backendId: string;
      readonly models: readonly Model[];
      readonly fromCache: boolean;
    }
  | { readonly type: 'models.failed'; readonly backendId: string; readonly fault: Fault }
  | { readonly type: 'model.load.started'; readonly key: string }
  | { readonly type: 'model.load.ended'; readonly key: string; readonly fault: Fault | null }
  | {
      readonly type: 'model.load.progressed';
      readonly key: string;
      readonly progress: number | null;
      readonly source: string;
    }
  | { readonly type: 'model.unload.started'; readonly key: string }
  | { readonly type: 'model.unload.ended'; readonly key: string; readonly fault: Fault | null }
  | {
      readonly type: 'model.detailed';
      readonly key: string;
      readonly details: ModelDetails | null;
      readonly fault: Fault | null;
    }
  | { readonly type: 'model.delete.ended'; readonly key: string; readonly fault: Fault | null }
  | {
      readonly type: 'pull.started';
      readonly pullId: string;
      readonly backendId: string;
      readonly name: string;
    }
  | { readonly type: 'pull.progressed'; readonly pullId: string; readonly progress: PullProgress }
  /** `cancelled`: by the user; what came so far is kept by the server, and pulling again goes on from there. */
  | {
      readonly type: 'pull.ended';
      readonly pullId: string;
      readonly fault: Fault | null;
      readonly cancelled: boolean;
    }
  // A new server
  /**
   * What stands behind an address that is being added, as it was typed. `url` null: it is no address. `kind` null with a fault: why it
   * cannot be told. `named`: the user told the kind.
   */
  | {
      readonly type: 'server.probed';
      readonly address: string;
      readonly url: string | null;
      readonly kind: string | null;
      readonly named: boolean;
      readonly version: string | null;
      /** Null: not told. */
      readonly models: number | null;
      readonly fault: Fault | null;
    }
  | {
      readonly type: 'server.saved';
      readonly url: string;
      readonly problem: string | null;
      readonly hint: string | null;
    }
  // Servers that this program starts
  /** Kinds whose program is on this machine. */
  | { readonly type: 'servers.installed'; readonly kinds: readonly string[] }
  /** The model files that a server could be started with. */
  | {
      readonly type: 'server.files.found';
      readonly backendId: string;
      readonly files: readonly StartFile[];
    }
  /** `command` as it would be typed; `logFile` has its output. */
  | {
      readonly type: 'server.started';
      readonly backendId: string;
      readonly pid: number;
      readonly command: string;
      readonly logFile: string;
    }
  | {
      readonly type: 'server.start.failed';
      readonly backendId: string;
      readonly message: string;
      readonly hint: string;
    }
  /** `wanted`: it was stopped from here. `lastLine`: of its output. */
  | {
      readonly type: 'server.exited';
      readonly backendId: string;
      readonly wanted: boolean;
      readonly how: string;
      readonly lastLine: string | null;
    }
  // A model of this machine without a server
  /** What could be set up; null: nothing, there is no engine for this system. */
  | { readonly type: 'setup.looked'; readonly offer: SetUpOffer | null }
  /** The figures that a question needs. `entry`: the model of the catalogue that it is about; null: the one that is recommended. */
  | {
      readonly type: 'setup.asked';
      readonly offer: SetUpOffer;
      readonly hubAnswers: boolean;
      readonly entry: string | null;
    }
  | { readonly type: 'setup.progressed'; readonly progress: SetUpProgress }
  | { readonly type: 'setup.ended'; readonly end: SetUpEnd }
  // The message box
  | { readonly type: 'prompt.edited'; readonly edit: Edit }
  | { readonly type: 'prompt.submitted' }
  | { readonly type: 'prompt.history.loaded'; readonly entries: readonly string[] }
  // Answers
  | { readonly type: 'turn.started'; readonly turnId: string }
  /** `source` in these: what told it; absent: nobody did. */
  | {
      readonly type: 'turn.queued';
      readonly turnId: string;
      readonly position?: number | null;
      readonly source?: string | null;
    }
  | {
      readonly type: 'turn.loading';
      readonly turnId: string;
      readonly progress: number | null;
      readonly source?: string | null;
    }
  | {
      readonly type: 'turn.prefill';
      readonly turnId: string;
      readonly progress: PrefillProgress;
      readonly source?: string | null;
    }
  | {
      readonly type: 'turn.reasoning.delta';
      readonly turnId: string;
      readonly text: string;
      readonly pieces: number;
    }
  | {
      readonly type: 'turn.text.delta';
      readonly turnId: string;
      readonly text: string;
      readonly pieces: number;
    }
  | {
      readonly type: 'turn.usage';
      readonly turnId: string;
      readonly usage: Partial<Usage>;
      readonly source?: string | null;
    }
  | { readonly type: 'turn.truncated'; readonly turnId: string; readonly truncation: Truncation }
  /** Of a turn that the user stopped: what its server does now. */
  | { readonly type: 'turn.aftermath'; readonly turnId: string; readonly aftermath: Aftermath }
  | { readonly type: 'turn.answered-by'; readonly turnId: string; readonly name: string }
  /** How the server numbers the request, also in its log. */
  | { readonly type: 'turn.identified'; readonly turnId: string; readonly requestId: string }
  | { readonly type: 'turn.noted'; readonly turnId: string; readonly text: string }
  /** It was counted, and goes no further: it would leave the answer no room. Null: nobody could count it, the estimate stands. */
  | {
      readonly type: 'turn.held';
      readonly turnId: string;
      readonly promptTokens: number | null;
      readonly contextTokens: number | null;
    }
  | {
      readonly type: 'turn.ended';
      readonly turnId: string;
      readonly outcome: Outcome;
      readonly reason: string | null;
      readonly fault: Fault | null;
    }
  // The machines. `machine` absent: the one that this program runs on.
  | { readonly type: 'hardware.sampled'; readonly machine?: MachineId; readonly sample: MachineSample }
  | { readonly type: 'hardware.detailed'; readonly machine?: MachineId; readonly detail: MachineDetail }
  | { readonly type: 'gpus.sampled'; readonly machine?: MachineId; readonly gpus: readonly GpuSample[] }
  /** Of this machine, now and then while its readings are not shown. */
  | { readonly type: 'memory.checked'; readonly check: MemoryCheck }
  | { readonly type: 'hardware.facts'; readonly machine?: MachineId; readonly facts: MachineFacts }
  | {
      readonly type: 'hardware.source';
      readonly machine?: MachineId;
      readonly source: string;
      readonly state: SourceState;
    }
  // Logs
  /** `past`: they were written before their source was opened. */
  | {
      readonly type: 'logs.appended';
      readonly lines: readonly LogLine[];
      readonly skipped: number;
      readonly past?: true;
    }
  /**
   * `asked`: named by the user; else it was found to be the log of a server. `place` as it is written in the configuration. `backendIds`:
   * the servers whose log it is; absent: nobody told.
   */
  | {
      readonly type: 'logs.source';
      readonly source: string;
      readonly place: string;
      readonly asked: boolean;
      readonly backendIds?: readonly string[];
      readonly state: LogSourceState;
    }
  /** It is not followed any more. */
  | { readonly type: 'logs.closed'; readonly source: string }
  /** A line that is written over and over, a progress bar; null: it has ended, and came as a line. */
  | { readonly type: 'logs.progressed'; readonly source: string; readonly line: LogLine | null }
  // Chats
  | { readonly type: 'session.listed'; readonly chats: readonly ChatSummary[] }
  | { readonly type: 'session.opened'; readonly chat: StoredChat }
  | { readonly type: 'session.failed'; readonly message: string; readonly hint: string | null }
  // The view: what the user did that is not text
  | { readonly type: 'command.invoked'; readonly command: string; readonly argument?: string }
  | { readonly type: 'pane.focused'; readonly pane: PaneId }
  /** The cursor of a list pane stands on the row with this key. */
  | { readonly type: 'pane.selected'; readonly pane: PaneId; readonly key: string }
  /** Panes that are on the screen now; what is not shown is not polled. */
  | { readonly type: 'panes.shown'; readonly panes: readonly PaneId[] }
  /** Null follows the end; else the row at the top of the pane. */
  | { readonly type: 'transcript.scrolled'; readonly anchor: TranscriptAnchor | null }
  /** Null follows the end; else the number of the last visible line. */
  | { readonly type: 'logs.scrolled'; readonly line: number | null }
  /** Lines to be copied, by number, as they stand on the screen. */
  | { readonly type: 'logs.picked'; readonly lines: readonly number[] }
  | { readonly type: 'overlay.closed' }
  | { readonly type: 'overlay.edited'; readonly edit: Edit }
  /** A key while it is typed. Records hold it without its letters (events/record.ts); nobody else may keep this event. */
  | { readonly type: 'secret.edited'; readonly edit: Edit }
  | { readonly type: 'overlay.moved'; readonly index: number }
  | { readonly type: 'question.answered'; readonly choice: number }
  | { readonly type: 'ways.moved'; readonly index: number }
  /** The log filter or the transcript search while it is typed. */
  | { readonly type: 'filter.edited'; readonly edit: Edit }
  /** The filter stays, its input line goes. */
  | { readonly type: 'filter.closed' }
  | { readonly type: 'screen.resized'; readonly width: number; readonly height: number }
  | { readonly type: 'screen.focused'; readonly focused: boolean }
  | {
      readonly type: 'notice.raised';
      readonly level: NoticeLevel;
      readonly text: string;
      readonly hint: string | null;
    };

export type AppEventType = AppEvent['type'];

/** An event as the bus delivers it. */
export type Stamped = AppEvent & { readonly seq: number; readonly at: number; readonly mono: number };

/**
 * What may be lost when a queue overflows. must-arrive: never. latest-wins: an older one of the same type and subject may be dropped
 * when a newer one waits. mergeable: two neighbours may be joined into one that says the same.
 */
export type Loss = 'must-arrive' | 'latest-wins' | 'mergeable';

/** Every event that may lose something; all others must arrive. */
export const LOSS: { readonly [T in AppEventType]?: Exclude<Loss, 'must-arrive'> } = {
  'clock.ticked': 'latest-wins',
  'backend.checked': 'latest-wins',
  'hardware.sampled': 'latest-wins',
  'hardware.detailed': 'latest-wins',
  'gpus.sampled': 'latest-wins',
  'memory.checked': 'latest-wins',
  'hardware.source': 'latest-wins',
  'model.load.progressed': 'latest-wins',
  'pull.progressed': 'latest-wins',
  'setup.progressed': 'latest-wins',
  'turn.loading': 'latest-wins',
  'turn.prefill': 'latest-wins',
  'turn.reasoning.delta': 'mergeable',
  'turn.text.delta': 'mergeable',
  'logs.appended': 'mergeable',
  'logs.progressed': 'latest-wins',
  'screen.resized': 'latest-wins',
};

export function lossOf(type: AppEventType): Loss {
  return LOSS[type] ?? 'must-arrive';
}
