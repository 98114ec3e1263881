import type { Edit } from './edit.js';

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

/** Of the view: what the user did that is not text, and what is told. */
export type ViewEvent =
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
  /** Rows of the whole view of the machine that are above its first shown one. */
  | { readonly type: 'machine.scrolled'; readonly row: number }
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
