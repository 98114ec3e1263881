import type { Token } from '../text/span.js';

/** A colour: exact for terminals that can, and its number (0..15) in the terminal's own palette for those that cannot. */
export interface Colour {
  /** `#rrggbb`. */
  readonly hex: string;
  readonly ansi: number;
}

export interface Attributes {
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly inverse?: boolean;
  /** Terminals that do not know it show the text without: it goes with a word. */
  readonly strike?: boolean;
}

/** How a token looks. No colour: the terminal's own. */
export interface TokenStyle extends Attributes {
  readonly fg?: Colour;
  readonly bg?: Colour;
  /** Attributes where there is no colour at all (NO_COLOR), instead of the ones above. */
  readonly plain?: Attributes;
}

export interface Theme {
  readonly name: string;
  readonly styles: Readonly<Record<Token, TokenStyle>>;
}

export function colour(hex: string, ansi: number): Colour {
  return { hex, ansi };
}
