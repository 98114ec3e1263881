/** What the terminal can do, judged from the environment before a byte is written. */
import type { Environment } from '../ports.js';
import type { ColourDepth } from './terminal.js';

/** Why the dashboard cannot run here, for the message of an exit with code 2; null when it can. */
export function terminalProblem(
  stdin: { readonly isTTY?: boolean | undefined },
  stdout: { readonly isTTY?: boolean | undefined },
  env: Environment,
): string | null {
  if (stdout.isTTY !== true) return 'the dashboard needs a terminal, but the output is not one';
  if (stdin.isTTY !== true) return 'the dashboard needs a terminal, but the input is not one';
  if (env['TERM'] === 'dumb')
    return 'the dashboard needs a terminal that can move its cursor (TERM is "dumb")';
  return null;
}

/** NO_COLOR (any value but empty, no-color.org) wins; then COLORTERM; then the name in TERM. */
export function colourDepth(env: Environment): ColourDepth {
  if ((env['NO_COLOR'] ?? '') !== '') return 'none';
  const term = env['TERM'] ?? '';
  if (/^(truecolor|24bit)$/i.test(env['COLORTERM'] ?? '')) return 'truecolor';
  if (/-direct$/.test(term)) return 'truecolor';
  if (/256color|^xterm-(kitty|ghostty)|^(alacritty|foot|wezterm|ghostty|contour|rio)/.test(term))
    return '256';
  if (/^(vt\d|xterm-mono)|-m$/.test(term)) return 'none';
  return '16';
}

/** tmux and screen answer for the terminal behind them, so their answers say nothing about the link to the user. */
export function isMultiplexed(env: Environment): boolean {
  return multiplexer(env) !== null;
}

export function multiplexer(env: Environment): 'tmux' | 'screen' | null {
  if ((env['TMUX'] ?? '') !== '') return 'tmux';
  if ((env['STY'] ?? '') !== '') return 'screen';
  const term = env['TERM'] ?? '';
  // Over SSH the variables stay behind, the name of the terminal does not.
  if (term.startsWith('tmux')) return 'tmux';
  return term.startsWith('screen') ? 'screen' : null;
}

/**
 * Whether the locale names a character set other than UTF-8. An unset locale and C are common over SSH and in containers, where the
 * terminal itself is UTF-8 all the same.
 */
export function wantsAscii(env: Environment): boolean {
  const locale =
    [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '') ?? '';
  const charset = /\.([^@]+)/.exec(locale)?.[1];
  return charset !== undefined && !/^utf-?8$/i.test(charset);
}
