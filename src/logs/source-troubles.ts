import { placeText, type LogPlace } from '../domain/log-place.js';

/** Why a source cannot be read now. */
export interface SourceTrouble {
  readonly state: 'waiting' | 'refused' | 'failed';
  /** One sentence without a stop. */
  readonly reason: string;
  /** What to do, as a sentence. */
  readonly hint: string;
}

/** How a child ended. */
export interface SourceEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** ENOENT and the like, when it could not be started. */
  readonly code: string | null;
  /** What it said on its standard error, the last lines, sanitised. */
  readonly said: readonly string[];
}

interface Rule {
  /** Where it counts: the place itself, or what stands behind ssh. */
  readonly via?: readonly string[];
  readonly when: RegExp;
  readonly trouble: (place: LogPlace) => SourceTrouble;
}

const hostOf = (place: LogPlace): string => (place.via === 'ssh' ? place.host : 'this machine');
const innerOf = (place: LogPlace): Exclude<LogPlace, { readonly via: 'ssh' }> =>
  place.via === 'ssh' ? place.place : place;
/** ` on gpu-box`, or nothing for this machine. */
const there = (place: LogPlace): string => (place.via === 'ssh' ? ` on ${place.host}` : '');

/** From the most particular to the most general; the first that fits counts. */
const RULES: readonly Rule[] = [
  {
    via: ['ssh'],
    when: /Permission denied \(|Too many authentication failures|no mutual signature/,
    trouble: (place) => ({
      state: 'refused',
      reason: `${hostOf(place)} lets nobody in without a password`,
      hint: `Make "ssh ${hostOf(place)}" work with a key (ssh-copy-id ${hostOf(place)}, or ssh-add).`,
    }),
  },
  {
    via: ['ssh'],
    when: /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|authenticity of host/,
    trouble: (place) => ({
      state: 'refused',
      reason: `the key of ${hostOf(place)} is not known, or has changed`,
      hint: `Connect once by hand and check its key: ssh ${hostOf(place)}`,
    }),
  },
  {
    via: ['ssh'],
    when: /Could not resolve hostname|Name or service not known/,
    trouble: (place) => ({
      state: 'failed',
      reason: `the host name ${hostOf(place)} is not known`,
      hint: 'Check its spelling, or add it to ~/.ssh/config.',
    }),
  },
  {
    via: ['ssh'],
    when: /Connection refused|No route to host|Connection timed out|Operation timed out|Network is unreachable|port 22: /,
    trouble: (place) => ({
      state: 'failed',
      reason: `there is no connection to ${hostOf(place)}`,
      hint: `Check that it is on and that "ssh ${hostOf(place)}" works.`,
    }),
  },
  {
    via: ['journald'],
    when: /insufficient permissions|not seeing messages from other users/,
    trouble: (place) => ({
      state: 'refused',
      reason: `the journal${there(place)} may not be read by you`,
      hint: 'Join its group, then log in anew: sudo usermod -aG systemd-journal $USER',
    }),
  },
  {
    via: ['journald'],
    when: /No journal files were found/,
    trouble: (place) => ({
      state: 'failed',
      reason: `there is no journal${there(place)}`,
      hint: 'Follow the file that the server writes to instead.',
    }),
  },
  {
    via: ['docker', 'podman'],
    when: /No such container|no container with (?:name|ID)/i,
    trouble: (place) => ({
      state: 'waiting',
      reason: `there is no container ${nameIn(place)}${there(place)}`,
      hint: `It is followed as soon as it is there; "${innerOf(place).via} ps -a" lists the names.`,
    }),
  },
  {
    via: ['docker', 'podman'],
    when: /permission denied/i,
    trouble: (place) => ({
      state: 'refused',
      reason: `${innerOf(place).via}${there(place)} may not be used by you`,
      hint: 'Join its group, then log in anew: sudo usermod -aG docker $USER',
    }),
  },
  {
    via: ['docker', 'podman'],
    when: /Cannot connect to|daemon running|connection refused/i,
    trouble: (place) => ({
      state: 'failed',
      reason: `${innerOf(place).via} is not running${there(place)}`,
      hint: 'Start it, for example with: sudo systemctl start docker',
    }),
  },
  {
    via: ['docker', 'podman'],
    when: /configured logging driver does not support reading/i,
    trouble: (place) => ({
      state: 'failed',
      reason: `the logging driver of ${nameIn(place)} keeps nothing that can be read`,
      hint: 'Start the container with --log-driver json-file.',
    }),
  },
  {
    via: ['file'],
    when: /No such file or directory/,
    trouble: (place) => ({
      state: 'waiting',
      reason: `${nameIn(place)} does not exist yet${there(place)}`,
      hint: 'It is followed as soon as it is written.',
    }),
  },
  {
    via: ['file'],
    when: /Permission denied/,
    trouble: (place) => ({
      state: 'refused',
      reason: `${nameIn(place)}${there(place)} may not be read by you`,
      hint: `Ask for read permission (for example: sudo setfacl -m u:$USER:r ${nameIn(place)}).`,
    }),
  },
];

/** What a message on standard error means while the child goes on; null: nothing that concerns the user. */
export function troubleInWords(place: LogPlace, said: readonly string[]): SourceTrouble | null {
  const text = said.join('\n');
  const kinds = [place.via, innerOf(place).via];
  const rule = RULES.find(
    ({ via, when }) =>
      (via === undefined || via.some((kind) => kinds.includes(kind as never))) && when.test(text),
  );
  return rule?.trouble(place) ?? null;
}

/** Why a child ended, and the next step. */
export function troubleOfEnd(place: LogPlace, end: SourceEnd): SourceTrouble {
  const program = PROGRAMS[place.via] ?? place.via;
  if (end.code === 'ENOENT' || end.code === 'EACCES')
    return {
      state: 'failed',
      reason: `${program} is not installed`,
      hint: `Install it, or name another place of this log than ${placeText(place)}.`,
    };
  if (end.code !== null)
    return {
      state: 'failed',
      reason: `${program} could not be started (${end.code})`,
      hint: `Try it by hand.`,
    };
  const known = troubleInWords(place, end.said);
  if (known) return known;
  const inner = innerOf(place);
  if (place.via === 'ssh' && end.exitCode === 127)
    return {
      state: 'failed',
      reason: `${PROGRAMS[inner.via] ?? 'the command'} is not installed on ${place.host}`,
      hint: `Name another place of this log than ${placeText(place)}.`,
    };
  const words = end.said.at(-1) ?? '';
  if (place.via === 'ssh' && end.exitCode === 255)
    return {
      state: 'failed',
      reason: `the connection to ${place.host} ended${words === '' ? '' : `: ${words.replace(/\.+$/, '')}`}`,
      hint: `It is tried again; "ssh ${place.host}" by hand tells more.`,
    };
  if ((inner.via === 'docker' || inner.via === 'podman') && end.exitCode === 0)
    return {
      state: 'waiting',
      reason: `the container ${nameIn(place)}${there(place)} has stopped`,
      hint: 'It is followed again when it runs.',
    };
  if (inner.via === 'command' && end.exitCode === 0)
    return {
      state: 'waiting',
      reason: 'the command has ended',
      hint: 'It is not started again; a command that follows, like tail -F, does not end.',
    };
  const how = end.signal === null ? `exit code ${end.exitCode ?? '?'}` : end.signal;
  return {
    state: 'failed',
    reason: `${inner.via === 'command' ? 'the command' : program} ended (${how})${words === '' ? '' : `: ${words}`}`,
    hint: 'It is tried again.',
  };
}

const PROGRAMS: Readonly<Record<string, string>> = {
  ssh: 'ssh',
  journald: 'journalctl',
  docker: 'docker',
  podman: 'podman',
  lms: 'lms',
  command: 'the shell',
  file: 'tail',
};

function nameIn(place: LogPlace): string {
  const inner = innerOf(place);
  if (inner.via === 'docker' || inner.via === 'podman') return inner.container;
  return inner.via === 'file' ? inner.path : placeText(inner);
}
