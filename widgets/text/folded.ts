/** A part of an edited text that is shown as one short label. */
export interface Fold {
  readonly start: number;
  readonly end: number;
  readonly label: string;
}

/** Offsets in the shown text. */
export interface Chip {
  readonly start: number;
  readonly end: number;
}

/** A text with its folds shown as labels, and the way between the offsets of both. */
export interface FoldedText {
  readonly text: string;
  readonly chips: readonly Chip[];
  shownOffset(offset: number): number;
  /** Within a label: the nearer edge of what it stands for. */
  textOffset(shown: number): number;
}

/** `folds` in their order, apart from each other. */
export function foldedText(text: string, folds: readonly Fold[]): FoldedText {
  let shown = '';
  let from = 0;
  const chips: Chip[] = [];
  for (const { start, end, label } of folds) {
    shown += text.slice(from, start) + label;
    chips.push({ start: shown.length - label.length, end: shown.length });
    from = end;
  }
  shown += text.slice(from);

  /** The last fold that begins before an offset of either text, and its chip. */
  const before = (isBefore: (fold: Fold, chip: Chip) => boolean): readonly [Fold, Chip] | null => {
    for (let i = folds.length - 1; i >= 0; i--) {
      const fold = folds[i];
      const chip = chips[i];
      if (fold && chip && isBefore(fold, chip)) return [fold, chip];
    }
    return null;
  };
  return {
    text: shown,
    chips,
    shownOffset(offset) {
      const near = before((fold) => fold.start < offset);
      if (near === null) return offset;
      const [fold, chip] = near;
      return chip.end + Math.max(0, offset - fold.end);
    },
    textOffset(offset) {
      const near = before((_, chip) => chip.start < offset);
      if (near === null) return offset;
      const [fold, chip] = near;
      if (offset >= chip.end) return fold.end + (offset - chip.end);
      return offset - chip.start < chip.end - offset ? fold.start : fold.end;
    },
  };
}
