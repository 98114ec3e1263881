import type { LayoutName } from '../domain/settings.js';
import type { AppEvent, NoticeLevel, OverlayId, PaneId, TranscriptAnchor } from '../events/catalogue.js';
import type { PromptState } from './prompt.js';
import type { ServerForm } from './server-form.js';

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
  /** Index of the choice that Ctrl+C takes; where it is absent, as Esc. */
  readonly interrupted?: number;
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
  /** What can be over: the id of the server whose bad news it is, or MESSAGE_WAITS. */
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
  /** Rows of the whole view of the machine above the first shown one; the pane keeps it within what there is. */
  readonly machineRow: number;
}
