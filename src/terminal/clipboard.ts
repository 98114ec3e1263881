import type { Environment } from '../ports.js';
import { multiplexer } from './capabilities.js';

/** Terminals cut longer texts silently (xterm, tmux) or refuse them. */
export const CLIPBOARD_MAX_BYTES = 100_000;
/** GNU screen takes control strings of at most 768 bytes. */
const SCREEN_CHUNK_CHARS = 700;

/** The bytes that put text on the user's clipboard, also over SSH (OSC 52); null when it is too long. */
export function clipboardSequence(text: string, env: Environment): string | null {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length > CLIPBOARD_MAX_BYTES) return null;
  const sequence = `\x1b]52;c;${bytes.toString('base64')}\x07`;
  switch (multiplexer(env)) {
    case 'tmux':
      // Passed on when `allow-passthrough` is on; the bare one is for `set-clipboard on`, which is the default.
      return `${sequence}\x1bPtmux;${sequence.replaceAll('\x1b', '\x1b\x1b')}\x1b\\`;
    case 'screen':
      return (sequence.match(new RegExp(`[^]{1,${SCREEN_CHUNK_CHARS}}`, 'g')) ?? [])
        .map((part) => `\x1bP${part}\x1b\\`)
        .join('');
    case null:
      return sequence;
  }
}
