import type { ChatMessage, Turn } from '../domain/chat.js';
import type { MachineId } from '../domain/hardware.js';
import type { LogLevel } from '../domain/log.js';
import type { PastLoad } from '../domain/past-loads.js';
import type { Sampling } from '../domain/sampling.js';
import type { SetUpWish } from '../domain/set-up.js';
import type { AppEvent } from '../events/catalogue.js';

/** A message is counted before it is read, and held back when it leaves the answer no room. */
export interface RoomToCheck {
  /** Null: not known before the model is loaded. */
  readonly contextTokens: number | null;
  readonly estimatedTokens: number;
}

/** What the update wants done, as data; src/effects/run.ts does it. Whatever comes of it is published as events. */
export type Effect =
  | {
      readonly type: 'chat.start';
      readonly turnId: string;
      readonly modelKey: string;
      readonly messages: readonly ChatMessage[];
      /** See ChatRequest. */
      readonly contextTokens: number | null;
      readonly sampling: Sampling;
      /** How an answer is gone on with: the server takes up its text, or the model is asked in words; null: it is a new one. */
      readonly goesOn: 'prefill' | 'words' | null;
      /** Null: it is sent as it is. */
      readonly room: RoomToCheck | null;
    }
  /** Looks at the server of a stopped turn until it is idle. */
  | { readonly type: 'turn.watch'; readonly turnId: string; readonly modelKey: string }
  | { readonly type: 'chat.cancel'; readonly turnId: string }
  | { readonly type: 'backends.refresh' }
  /** The mock joins the servers. */
  | { readonly type: 'mock.add' }
  /** The list of models changed and is to be kept for the next start. */
  | { readonly type: 'models.cache' }
  | { readonly type: 'models.refresh'; readonly backendId: string }
  /** `pin`: until it is unloaded by hand. */
  | {
      readonly type: 'model.load';
      readonly key: string;
      readonly pin: boolean;
      readonly contextTokens: number | null;
    }
  | { readonly type: 'model.unload'; readonly key: string }
  | { readonly type: 'model.details'; readonly key: string }
  | { readonly type: 'model.delete'; readonly key: string }
  | {
      readonly type: 'pull.start';
      readonly pullId: string;
      readonly backendId: string;
      readonly name: string;
    }
  | { readonly type: 'pull.cancel'; readonly pullId: string }
  /** Finds out what a question about setting up a model here needs to know. `entry`: of the catalogue; null: the recommended one. */
  | { readonly type: 'setup.ask'; readonly entry: string | null }
  /** Fetches the engine and the model, as far as they are missing. */
  | { readonly type: 'setup.start'; readonly wish: SetUpWish }
  | { readonly type: 'setup.cancel' }
  /** Finds out what stands behind an address. `key`: as typed, perhaps `${NAME}`. */
  | { readonly type: 'server.probe'; readonly address: string; readonly key: string | null }
  /** Writes a server to the configuration and watches it. `kind`: named by the user; `detected`: what it was found to be. */
  | {
      readonly type: 'server.save';
      readonly url: string;
      readonly kind: string | null;
      readonly detected: string | null;
      readonly key: string | null;
    }
  | { readonly type: 'server.remove'; readonly backendId: string }
  /** What models really took is kept for later runs. */
  | { readonly type: 'loads.keep'; readonly loads: readonly PastLoad[] }
  /** Starts it on this machine, at its own address. `file`: the model to serve, where one is needed. */
  | { readonly type: 'server.start'; readonly backendId: string; readonly file: string | null }
  /** Ends a server that was started from here. */
  | { readonly type: 'server.stop'; readonly backendId: string }
  /** Those that were started from here stay when the dashboard ends. */
  | { readonly type: 'servers.leave' }
  | { readonly type: 'model.remember'; readonly key: string }
  | { readonly type: 'session.start'; readonly chatId: string; readonly title: string }
  /** A new turn, or one whose state or text changed; the store appends what is new. */
  | { readonly type: 'session.write'; readonly chatId: string; readonly turn: Turn }
  | { readonly type: 'session.list' }
  | { readonly type: 'session.open'; readonly chatId: string }
  | { readonly type: 'history.remember'; readonly text: string }
  | { readonly type: 'settings.save'; readonly key: string; readonly value: unknown }
  /** The readings of one machine are wanted; null: of none. */
  | { readonly type: 'hardware.watch'; readonly machine: MachineId | null; readonly intervalMs: number }
  | { readonly type: 'editor.open'; readonly text: string }
  | { readonly type: 'clipboard.copy'; readonly text: string; readonly what: string }
  /** The log of a server is looked for and followed; it may have another place than before. */
  /** `file`: of a server that was started from here; without one the place is looked for. */
  | { readonly type: 'log.follow'; readonly backendId: string; readonly file?: string }
  | { readonly type: 'log.unfollow'; readonly backendId: string }
  /** Writes what the log pane shows to a file. */
  | { readonly type: 'log.save' }
  | {
      readonly type: 'log.write';
      readonly level: LogLevel;
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly type: 'screen.redraw' }
  /** Publishes an event that was chosen in a question. */
  | { readonly type: 'event.publish'; readonly event: AppEvent }
  | { readonly type: 'app.suspend' }
  | { readonly type: 'app.quit'; readonly exitCode: number };
