import { DEFAULT_ATTR } from '../../widgets/blessed-shim.js';

/**
 * One row of what the terminal shows: style and text of each cell, in arrays of their own. A pair for each cell would take several times the
 * memory, and every frame walks through it.
 */
export interface ShownLine {
  readonly attrs: Int32Array;
  readonly texts: string[];
}

/** Rows that are blank. */
export function blankRows(columns: number, rows: number): ShownLine[] {
  return Array.from({ length: rows }, () => ({
    attrs: new Int32Array(columns).fill(DEFAULT_ATTR),
    texts: new Array<string>(columns).fill(' '),
  }));
}

export function blankRow({ attrs, texts }: ShownLine): void {
  attrs.fill(DEFAULT_ATTR);
  texts.fill(' ');
}
