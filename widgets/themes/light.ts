import { colour, type Theme } from './theme.js';

const accent = colour('#0b65c2', 4);
const grey = colour('#68707d', 8);
const line = colour('#a0a7b4', 7);
const good = colour('#2f7d32', 2);
const warn = colour('#9a5b00', 3);
const bad = colour('#c62839', 1);

/** For a light background; body text keeps the terminal's own colour. */
export const LIGHT: Theme = {
  name: 'light',
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
    selection: { bg: colour('#cfe0f5', 7), plain: { inverse: true } },
    user: { fg: accent, bold: true },
    assistant: { fg: good, bold: true },
    thinking: { fg: grey, italic: true, plain: { dim: true, italic: true } },
    code: { fg: colour('#6a3ea8', 5) },
    key: { fg: accent, bold: true },
    match: { fg: warn, bold: true, plain: { bold: true, underline: true } },
    gaugeFill: { fg: accent },
    gaugeTrack: { fg: line, plain: { dim: true } },
    struck: { fg: grey, strike: true, plain: { dim: true, strike: true } },
    chip: { fg: colour('#ffffff', 15), bg: accent, plain: { inverse: true } },
  },
};
