import type { Settings } from '../domain/settings.js';
import type { ConversationEvent } from './chat-events.js';
import type { LogEvent } from './log-events.js';
import type { MachineEvent } from './machine-events.js';
import type { ModelEvent } from './model-events.js';
import type { ServerEvent } from './server-events.js';
import type { ViewEvent } from './view-events.js';

// The events stand in a file for each subject; whoever publishes or folds them finds all of it here.
export type { ChatSummary, StoredChat } from './chat-events.js';
export type * from './edit.js';
export type { StartFile } from './server-events.js';
export type { NoticeLevel, OverlayId, PaneId, TranscriptAnchor } from './view-events.js';

/** Every event of the program. Plain serialisable data; the bus adds `seq`, `at` and `mono`. */
export type AppEvent =
  ProgramEvent | ServerEvent | ModelEvent | ConversationEvent | MachineEvent | LogEvent | ViewEvent;

/** Of the program itself. */
export type ProgramEvent =
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
  | { readonly type: 'clock.ticked' };

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
