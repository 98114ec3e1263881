import type { Size, Row, CursorPosition } from '../../widgets/text/span.js';

/** A key press, named: `a`, `ctrl+o`, `alt+enter`, `shift+tab`, `up`, `f5`, `pageup`, `escape`, `enter`, `backspace`,
 * `delete`, `space`. Modifiers stand in the order ctrl, alt, shift. A long run of text in one read is one event with the key `text`. */
export interface KeyInput {
  readonly type: 'key';
  readonly key: string;
  /** What it types, when it types something (one or more grapheme clusters, sanitised); else empty. */
  readonly text: string;
}

export type TerminalInput =
  | KeyInput
  /** One bracketed paste, whole; line ends are \n, control characters removed. */
  | { readonly type: 'paste'; readonly text: string }
  | {
      readonly type: 'mouse';
      readonly action: 'down' | 'up' | 'move' | 'wheel-up' | 'wheel-down';
      readonly button: number;
      readonly x: number;
      readonly y: number;
    }
  | { readonly type: 'focus'; readonly focused: boolean };

export type ColourDepth = 'none' | '16' | '256' | 'truecolor';

/** A rectangle of the screen, in cells. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A pane's frame: drawn by a blessed box. `null` title: no label. */
export interface Frame {
  readonly border: boolean;
  readonly focused: boolean;
  readonly title: Row | null;
  /** Right end of the top or bottom border line, e.g. ` 14 ↓ `. */
  readonly footer: Row | null;
}

/**
 * One rectangle of cells that shows rows. The only way text reaches the screen. Painting the same rows again costs no bytes.
 */
export interface Surface {
  /** Moves it; the next frame lays out the whole screen anew. */
  place(area: Area | null): void;
  /** Inner size, without border. */
  readonly size: Size;
  frame(frame: Frame): void;
  /** Shows rows from its top; the rest is blank. `scrolledBy` as in widgets/widget.ts. */
  paint(rows: readonly Row[], scrolledBy?: number): void;
}

/** The screen: surfaces in z order and one cursor. */
export interface TerminalScreen {
  readonly size: Size;
  /** Creates a surface above the existing ones. */
  surface(name: string): Surface;
  /** Screen position of the cursor, null hides it. */
  cursor(position: CursorPosition | null): void;
  /** Everything is drawn anew with the next frame (Ctrl+L, after a child used the terminal). */
  invalidate(): void;
  /**
   * Writes what changed since the last frame. Returns false when the link is busy or took only a part: call again from `onWritable`.
   * Urgent (someone typed): what stands near the cursor goes first, ahead of what a slow link has no room for yet. Never blocks.
   */
  flush(urgent?: boolean): boolean;
}

export interface Terminal {
  readonly screen: TerminalScreen;
  /** Frames per second that make sense here (fewer in tmux, where acknowledgements come from tmux itself). */
  readonly suggestedFps: number;
  onInput(receive: (input: TerminalInput) => void): void;
  onResize(receive: (size: Size) => void): void;
  /** The link took the last frame; a dirty screen may be flushed now. */
  onWritable(receive: () => void): void;
  /** The program shall end with this code: a signal, a closed terminal. The terminal is restored already. */
  onEnd(receive: (exitCode: number, reason: string) => void): void;
  /** After SIGCONT: the screen is entered again. */
  onResume(receive: () => void): void;
  /** Raw mode, alternate screen, modes on. */
  enter(): void;
  /** Restores everything, synchronously; safe to call twice. */
  leave(): void;
  /** Ctrl+Z: leaves, stops the process group, and enters again when it continues. */
  suspend(): void;
  /** Leaves, runs the child with the terminal as its own, enters again. */
  withReleased<T>(run: () => Promise<T>): Promise<T>;
  /** OSC 52, wrapped for tmux and screen. False when the text is too long for it. */
  copy(text: string): boolean;
}
