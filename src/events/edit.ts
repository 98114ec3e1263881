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
