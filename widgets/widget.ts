import type { CursorPosition, Row, Size } from './text/span.js';

/** Characters that depend on what the terminal can show (`--ascii`). */
export interface Glyphs {
  readonly ascii: boolean;
  readonly loaded: string; // ●
  readonly open: string; // ▾
  readonly closed: string; // ▸
  readonly pointer: string; // ▸ in lists
  readonly ellipsis: string; // …
  readonly approx: string; // ≈
  readonly unknown: string; // —
  readonly down: string; // ↓
  readonly up: string; // ↑
  readonly dot: string; // ·
  readonly dash: string; // ─
  /** Eighth blocks from empty to full, for gauges (horizontal) and histories (vertical). */
  readonly horizontalBar: readonly string[];
  readonly verticalBar: readonly string[];
  readonly barEnds: readonly [string, string];
  /** Corners and lines of a border: top-left, top-right, bottom-left, bottom-right, horizontal, vertical, tee-left, tee-right. */
  readonly border: {
    readonly tl: string;
    readonly tr: string;
    readonly bl: string;
    readonly br: string;
    readonly h: string;
    readonly v: string;
    readonly teeLeft: string;
    readonly teeRight: string;
  };
}

/** What a widget shows: at most `size.height` rows. */
export interface View {
  readonly rows: readonly Row[];
  /** Where the terminal's cursor stands when this pane has the focus; null hides it. */
  readonly cursor?: CursorPosition | null;
  /**
   * The rows are those of the last view moved up by so many rows (negative: down), apart from the new ones. A hint that lets the
   * terminal scroll instead of repaint; being wrong costs bytes, not correctness.
   */
  readonly scrolledBy?: number;
}

/**
 * A widget turns props into rows. `create` makes one instance with its own caches (wrap caches and the like); `view` is otherwise
 * a pure function of its arguments: same props and size, same rows.
 */
export interface Widget<Props> {
  readonly name: string;
  create(glyphs: Glyphs): WidgetInstance<Props>;
}

export interface WidgetInstance<Props> {
  view(props: Props, size: Size): View;
}
