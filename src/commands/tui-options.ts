import type { LoadedSettings } from '../config/load.js';
import type { Files } from '../config/paths.js';
import type { BackendSetting, Settings } from '../domain/settings.js';
import type { Ports } from '../ports.js';

/** Everything that the command line tells the dashboard (src/tui/start.ts). */
export interface TuiOptions {
  readonly version: string;
  readonly ports: Ports;
  readonly files: Files;
  /** Merged. Keys of servers are hidden in it, so that they get into no event, record or log; ask `keyOf`. */
  readonly settings: Settings;
  readonly settingsSources: LoadedSettings['sources'];
  /** What is wrong with the configuration, as sentences without a stop. */
  readonly problems: readonly string[];
  /** The real key of a server of `settings.backends`; null without one. Errors: LmappError when its variable is not set. */
  readonly keyOf: (backend: BackendSetting) => string | null;
  /** Texts that must never be shown or written. */
  readonly secrets: readonly string[];
  /** Addresses of --url, checked, as typed, in order. */
  readonly urls: readonly string[];
  readonly mock: boolean;
  /** A model is run on this machine without a server; what is missing for it is fetched without a question. */
  readonly embedded: boolean;
  /** Takes the steps of that as they come, one line each; null: nobody reads them but on the screen. */
  readonly tellStep: ((words: string) => void) | null;
  /** Takes what is to be known when the dashboard is left, as a line; the terminal is as it was then. */
  readonly tellAtEnd: (words: string) => void;
  /** Open the last chat. */
  readonly continueLast: boolean;
  /** Absolute paths. */
  readonly record: string | null;
  readonly replay: string | null;
  /** Speed of the replay: 1 is as it was, 0 is without pauses. */
  readonly speed: number;
  readonly gpu: boolean;
  readonly debug: boolean;
}
