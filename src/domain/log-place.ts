/** Where lines of a log come from. A place on another machine is reached through ssh. */
export type LogPlace =
  | { readonly via: 'file'; readonly path: string }
  /** `user`: a unit of the user's own. */
  | { readonly via: 'journald'; readonly unit: string; readonly user: boolean }
  | { readonly via: 'docker' | 'podman'; readonly container: string }
  | { readonly via: 'command'; readonly command: string }
  /** The stream of LM Studio's own tool. */
  | { readonly via: 'lms'; readonly stream: 'server' | 'model' }
  | { readonly via: 'ssh'; readonly host: string; readonly place: LocalPlace };

export type LocalPlace = Exclude<LogPlace, { readonly via: 'ssh' }>;

export type ReadPlace =
  | { readonly ok: true; readonly place: LogPlace }
  /** `reason` completes `"TEXT" is no place of a log: …`. */
  | { readonly ok: false; readonly reason: string };

/** The forms of a place, for help and documentation. */
export const PLACE_FORMS =
  'a file, journald:UNIT, docker:NAME, podman:NAME, lms:server, lms:model, cmd:COMMAND, or ssh:HOST: and one of them';

/** What a place may begin with. */
export const PLACE_SCHEMES: readonly string[] = ['journald:', 'docker:', 'podman:', 'lms:', 'cmd:', 'ssh:'];

/** Names become words of a command line: nothing that a program takes for an option or a shell for more than a word. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@:\\-]*$/;
const HOST = /^(?:[A-Za-z0-9_.-]+@)?(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])$/;
const SSH = /^((?:[^:[\]@]*@)?(?:\[[^\]]*\]|[^:[\]]*)):(.*)$/s;

/**
 * Reads `journald:ollama`, `journald:user/llama` (a unit of your own), `docker:NAME`, `podman:NAME`, `lms:server`, `cmd:COMMAND`, `ssh:HOST:PLACE`. Anything else is the path of a
 * file, also one whose name has a colon: `./docker:x` is a file.
 */
export function readPlace(text: string): ReadPlace {
  const found = /^(journald|docker|podman|lms|cmd|ssh):(.*)$/s.exec(text);
  if (!found) return file(text);
  const [, scheme = '', rest = ''] = found;
  switch (scheme) {
    case 'journald': {
      const user = rest.startsWith('user/');
      const unit = user ? rest.slice('user/'.length) : rest;
      return NAME.test(unit)
        ? { ok: true, place: { via: 'journald', unit, user } }
        : bad('journald: needs the name of a unit, for example journald:ollama or journald:user/llama');
    }
    case 'docker':
    case 'podman':
      return NAME.test(rest)
        ? { ok: true, place: { via: scheme, container: rest } }
        : bad(`${scheme}: needs the name of a container, for example ${scheme}:ollama`);
    case 'lms':
      return rest === 'server' || rest === 'model'
        ? { ok: true, place: { via: 'lms', stream: rest } }
        : bad('there is lms:server and lms:model');
    case 'cmd':
      return rest.trim() === ''
        ? bad('cmd: needs a command')
        : { ok: true, place: { via: 'command', command: rest } };
    default:
      return ssh(rest);
  }
}

function ssh(text: string): ReadPlace {
  const [, host = '', rest = ''] = SSH.exec(text) ?? [];
  if (!HOST.test(host) || rest === '')
    return bad('ssh: needs a host and a place there, for example ssh:gpu-box:journald:ollama');
  const there = readPlace(rest);
  if (!there.ok) return there;
  return there.place.via === 'ssh'
    ? bad('one ssh: cannot stand behind another; name the host in between in ~/.ssh/config (ProxyJump)')
    : { ok: true, place: { via: 'ssh', host, place: there.place } };
}

function file(path: string): ReadPlace {
  if (path.trim() === '') return bad('it is empty');
  return path.includes('\0') ? bad('it holds a NUL') : { ok: true, place: { via: 'file', path } };
}

function bad(reason: string): ReadPlace {
  return { ok: false, reason };
}

/** The text that reads as this place. */
export function placeText(place: LogPlace): string {
  switch (place.via) {
    case 'file':
      return place.path;
    case 'journald':
      return `journald:${place.user ? 'user/' : ''}${place.unit}`;
    case 'docker':
    case 'podman':
      return `${place.via}:${place.container}`;
    case 'lms':
      return `lms:${place.stream}`;
    case 'command':
      return `cmd:${place.command}`;
    case 'ssh':
      return `ssh:${place.host}:${placeText(place.place)}`;
  }
}

/** A short name for its lines: `ollama`, `server.log`, `gpu-box:ollama`. */
export function placeName(place: LogPlace): string {
  switch (place.via) {
    case 'file':
      return place.path.split(/[/\\]/).findLast((part) => part !== '') ?? place.path;
    case 'journald':
      return place.unit.replace(/\.service$/, '');
    case 'docker':
    case 'podman':
      return place.container.slice(0, 24);
    case 'lms':
      return place.stream === 'server' ? 'lmstudio' : 'lmstudio-model';
    case 'command':
      return placeName({ via: 'file', path: place.command.trim().split(/\s/)[0] ?? 'command' });
    case 'ssh':
      return `${place.host.replace(/^.*@/, '')}:${placeName(place.place)}`;
  }
}
