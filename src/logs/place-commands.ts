import type { LocalPlace, LogPlace } from '../domain/log-place.js';
import type { LineParserOptions } from './parse.js';

/** How a place that is no file of this machine is read. */
export interface PlaceCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly envelope?: LineParserOptions['envelope'];
  /** What stands on its standard error is part of the log, too. */
  readonly bothOutputs: boolean;
  /** With words of its own in its messages, so that they can be read. */
  readonly inEnglish: boolean;
}

export interface ReadingOptions {
  /** So many lines of what was written before. */
  readonly lines: number;
  readonly follow: boolean;
  /** Goes on behind this place (LineParser.place). */
  readonly after: string | null;
}

const SSH_OPTIONS: readonly string[] = [
  '-T',
  // Never asks for a password or a new host's key: nobody would see it.
  ...['-o', 'BatchMode=yes'],
  ...['-o', 'ConnectTimeout=10'],
  ...['-o', 'ServerAliveInterval=15'],
  ...['-o', 'ServerAliveCountMax=3'],
];

/** The command that reads a place. A file of this machine has none. */
export function commandOf(
  place: Exclude<LogPlace, { readonly via: 'file' }>,
  options: ReadingOptions,
  platform: NodeJS.Platform,
): PlaceCommand {
  switch (place.via) {
    case 'ssh': {
      const { words, envelope } = wordsOf(place.place, options);
      const remote =
        place.place.via === 'command'
          ? // What ssh itself complains about stays apart from what the command says.
            `(${place.place.command}\n) 2>&1`
          : words.map(shellWord).join(' ');
      const host = place.host.replace(/\[(.*)\]$/, '$1');
      return {
        file: 'ssh',
        args: [...SSH_OPTIONS, host, remote],
        ...(envelope ? { envelope } : {}),
        bothOutputs: place.place.via === 'docker' || place.place.via === 'podman',
        inEnglish: true,
      };
    }
    case 'command': {
      const shell =
        platform === 'win32'
          ? { file: 'cmd.exe', args: ['/d', '/s', '/c', place.command] }
          : { file: '/bin/sh', args: ['-c', place.command] };
      return { ...shell, bothOutputs: true, inEnglish: false };
    }
    default: {
      const { words, envelope } = wordsOf(place, options);
      const [file = '', ...args] = words;
      return {
        file,
        args,
        ...(envelope ? { envelope } : {}),
        bothOutputs: place.via === 'docker' || place.via === 'podman',
        inEnglish: true,
      };
    }
  }
}

function wordsOf(
  place: LocalPlace,
  { lines, follow, after }: ReadingOptions,
): { readonly words: readonly string[]; readonly envelope?: LineParserOptions['envelope'] } {
  switch (place.via) {
    case 'journald':
      return {
        words: [
          'journalctl',
          ...[place.user ? '--user-unit' : '--unit', place.unit, '-o', 'json', '--all', '--no-pager'],
          '--output-fields=MESSAGE,PRIORITY',
          ...(after === null ? ['-n', String(lines)] : [`--after-cursor=${after}`, '--no-tail']),
          ...(follow ? ['-f'] : []),
        ],
        envelope: 'journald',
      };
    case 'docker':
    case 'podman':
      return {
        words: [
          place.via,
          'logs',
          '--timestamps',
          ...(after === null ? ['--tail', String(lines)] : ['--since', after]),
          ...(follow ? ['-f'] : []),
          place.container,
        ],
        envelope: 'docker',
      };
    case 'lms':
      return { words: ['lms', 'log', 'stream', '--source', place.stream, '--json'] };
    case 'file':
      return {
        words: ['tail', '-n', String(lines), ...(follow ? ['-F'] : []), '--', place.path],
      };
    case 'command':
      return { words: [place.command] };
  }
}

/** A word that a POSIX shell leaves as it is; the home folder of a path is still found. */
function shellWord(word: string): string {
  if (/^[A-Za-z0-9_./:=@,+-]+$/.test(word)) return word;
  const home = /^~\//.exec(word)?.[0] ?? '';
  return `${home}'${word.slice(home.length).replaceAll("'", "'\\''")}'`;
}
