import { colour, type Theme } from './theme.js';

const accent = colour('#7dcfff', 14);
const grey = colour('#7f8796', 8);
const line = colour('#565f73', 8);
const good = colour('#9ece6a', 10);
const warn = colour('#e0af68', 11);
const bad = colour('#f7768e', 9);

/** For a dark background; body text keeps the terminal's own colour. */
export const DARK: Theme = {
  name: 'dark',
  styles: {
    text: {},
    muted: { fg: grey, plain: { dim: true } },
    accent: { fg: accent },
    good: { fg: good },
    warn: { fg: warn },
    bad: { fg: bad, plain: { bold: true } },
    strong: { bold: true },
    title: { bold: true },
    border: { fg: line, plain: { dim: true } },
    borderFocused: { fg: accent, plain: { bold: true } },
    selection: { bg: colour('#2f3b54', 4), plain: { inverse: true } },
    user: { fg: accent, bold: true },
    assistant: { fg: good, bold: true },
    thinking: { fg: grey, italic: true, plain: { dim: true, italic: true } },
    code: { fg: colour('#c0a8ff', 13) },
    key: { fg: accent, bold: true },
    match: { fg: warn, bold: true, plain: { bold: true, underline: true } },
    gaugeFill: { fg: accent },
    gaugeTrack: { fg: line, plain: { dim: true } },
    struck: { fg: grey, strike: true, plain: { dim: true, strike: true } },
    chip: { fg: colour('#1a1b26', 0), bg: accent, plain: { inverse: true } },
  },
};
