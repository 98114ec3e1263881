/**
 * Styles of cells. blessed packs nine bits of colour into an attribute; ours are numbers above that range, each an index into a table, so
 * that true colours work and the bytes of a style are built once.
 */
import { DEFAULT_ATTR } from '../../widgets/blessed-shim.js';
import type { Token } from '../../widgets/text/span.js';
import type { AttrSource } from '../../widgets/text-view.js';
import type { Attributes, Theme } from '../../widgets/themes/theme.js';
import { colourParameters } from './colour.js';
import type { ColourDepth } from './terminal.js';

/** Attributes from here on are indexes into the table; blessed's own end below 2^23. */
const FIRST_ATTR = 2 ** 27;

interface Style {
  readonly fg: string;
  readonly bg: string;
  /** SGR parameters of bold, dim and so on. */
  readonly flags: string;
  /** Shows on a space. */
  readonly visible: boolean;
}

const PLAIN: Style = { fg: '', bg: '', flags: '', visible: false };

export interface Palette extends AttrSource {
  /** SGR sequence that turns one attribute into another. */
  transition(from: number, to: number): string;
  /** A space of this attribute looks like an erased cell. */
  isPlain(attr: number): boolean;
}

export function createPalette(theme: Theme, depth: ColourDepth): Palette {
  const styles: Style[] = [];
  const attrByStyle = new Map<string, number>();
  const attrByToken = new Map<string, Map<Token | undefined, number>>();
  const transitions = new Map<number, Map<number, string>>();

  function makeAttr(token: Token, fill: Token | undefined): number {
    const style = theme.styles[token];
    const under = fill === undefined ? undefined : theme.styles[fill];
    const ground = under ?? style;
    const flags = [
      ...flagParameters(depth === 'none' && style.plain !== undefined ? style.plain : style),
      ...(under === undefined
        ? []
        : flagParameters(depth === 'none' && under.plain !== undefined ? under.plain : under)),
    ];
    const foreground = style.fg ?? under?.fg;
    const fg = foreground === undefined ? '' : colourParameters(foreground, depth, 'fg');
    // A chip keeps its own background on a selected row.
    const background = style.bg ?? ground.bg;
    const bg = background === undefined ? '' : colourParameters(background, depth, 'bg');
    const sorted = [...new Set(flags)].sort().join(';');
    const key = `${fg}|${bg}|${sorted}`;
    const known = attrByStyle.get(key);
    if (known !== undefined) return known;
    const visible = bg !== '' || [4, 7, 9].some((flag) => flags.includes(flag));
    const attr = key === '||' ? DEFAULT_ATTR : FIRST_ATTR + styles.length;
    if (attr !== DEFAULT_ATTR) styles.push({ fg, bg, flags: sorted, visible });
    attrByStyle.set(key, attr);
    return attr;
  }

  const styleOf = (attr: number): Style =>
    attr >= FIRST_ATTR ? (styles[attr - FIRST_ATTR] ?? PLAIN) : PLAIN;

  return {
    attr(token, fill) {
      let byFill = attrByToken.get(token);
      if (byFill === undefined) attrByToken.set(token, (byFill = new Map()));
      let attr = byFill.get(fill);
      if (attr === undefined) byFill.set(fill, (attr = makeAttr(token, fill)));
      return attr;
    },
    blank: (attr) => (styleOf(attr).visible ? attr : DEFAULT_ATTR),
    isPlain: (attr) => !styleOf(attr).visible,
    transition(from, to) {
      let byTarget = transitions.get(from);
      if (byTarget === undefined) transitions.set(from, (byTarget = new Map()));
      let bytes = byTarget.get(to);
      if (bytes === undefined) byTarget.set(to, (bytes = transitionBetween(styleOf(from), styleOf(to))));
      return bytes;
    },
  };
}

function flagParameters(attributes: Attributes): number[] {
  const flags: number[] = [];
  if (attributes.bold === true) flags.push(1);
  if (attributes.dim === true) flags.push(2);
  if (attributes.italic === true) flags.push(3);
  if (attributes.underline === true) flags.push(4);
  if (attributes.inverse === true) flags.push(7);
  if (attributes.strike === true) flags.push(9);
  return flags;
}

/** The shorter of a full reset and the parts that differ. */
function transitionBetween(from: Style, to: Style): string {
  if (from === to) return '';
  const full = ['0', to.flags, to.fg, to.bg].filter((part) => part !== '').join(';');
  const whole = full === '0' ? '\x1b[m' : `\x1b[${full}m`;
  if (from.flags !== '' && from.flags !== to.flags) return whole;
  const parts = [
    from.flags === to.flags ? '' : to.flags,
    from.fg === to.fg ? '' : to.fg === '' ? '39' : to.fg,
    from.bg === to.bg ? '' : to.bg === '' ? '49' : to.bg,
  ].filter((part) => part !== '');
  const partial = `\x1b[${parts.join(';')}m`;
  return partial.length < whole.length ? partial : whole;
}
