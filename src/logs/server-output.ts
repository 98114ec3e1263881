import fs from 'node:fs';
import path from 'node:path';
import { readPlace, type LogPlace } from '../domain/log-place.js';

/** State of a socket that listens, in /proc/net/tcp. */
const LISTENS = '0A';
const MOST_PROCESSES = 5000;

/** Whether something of this machine listens on a port. Linux only. */
export async function isListening(port: number, root = '/'): Promise<boolean> {
  return (await socketsOf(port, root)).size > 0;
}

/**
 * Where the process that listens on a port writes: the file that its standard output is, or the one of its --log-file; the journal, by
 * the unit that it runs in; the container that it runs in. `unknown`: the process is ours and writes where nobody can read (a terminal, a pipe).
 * Null: the process may not be looked at, which is so for those of other users. Linux only, through /proc.
 */
export async function outputOfServer(port: number, root = '/'): Promise<LogPlace | 'unknown' | null> {
  const sockets = await socketsOf(port, root);
  if (sockets.size === 0) return null;
  const pid = await processWith(sockets, root);
  if (pid === null) return null;
  // What this program itself writes is no log of a server: followed, it would grow by what it shows.
  const self = await fs.promises.readlink(path.join(root, 'proc/self')).catch(() => '');
  if (pid === self) return 'unknown';
  const folder = path.join(root, 'proc', pid);
  for (const descriptor of ['1', '2']) {
    const link = path.join(folder, 'fd', descriptor);
    const target = await fs.promises.readlink(link).catch(() => '');
    if (target.startsWith('/') && (await isSameFile(link, target))) return { via: 'file', path: target };
    if (target.startsWith('socket:') || target.startsWith('pipe:')) {
      const group = placeOfGroup(await text(path.join(folder, 'cgroup')));
      if (group && (group.via !== 'journald' || target.startsWith('socket:'))) return group;
    }
  }
  return (await logFileOf(folder)) ?? 'unknown';
}

/** Numbers of the sockets that listen on a port. */
async function socketsOf(port: number, root: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const name of ['tcp', 'tcp6']) {
    for (const line of (await text(path.join(root, 'proc/net', name))).split('\n')) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (state === LISTENS && local.endsWith(wanted)) found.add(`socket:[${inode}]`);
    }
  }
  return found;
}

/** The first process that holds one of the sockets, of those that may be looked at. */
async function processWith(sockets: ReadonlySet<string>, root: string): Promise<string | null> {
  const folder = path.join(root, 'proc');
  const pids = (await fs.promises.readdir(folder).catch(() => []))
    .filter((name) => /^\d+$/.test(name))
    .slice(0, MOST_PROCESSES);
  for (const pid of pids) {
    const descriptors = path.join(folder, pid, 'fd');
    // Of another user, or ended meanwhile.
    const names = await fs.promises.readdir(descriptors).catch(() => []);
    for (const name of names) {
      const target = await fs.promises.readlink(path.join(descriptors, name)).catch(() => '');
      if (sockets.has(target)) return pid;
    }
  }
  return null;
}

/** A process in a container sees other files under the same names; and a file that was removed has no name. */
async function isSameFile(link: string, target: string): Promise<boolean> {
  try {
    const [there, here] = await Promise.all([fs.promises.stat(link), fs.promises.stat(target)]);
    return there.isFile() && there.ino === here.ino && there.dev === here.dev;
  } catch {
    return false;
  }
}

/** The unit or container of a process, from /proc/PID/cgroup. */
export function placeOfGroup(lines: string): LogPlace | null {
  for (const line of lines.split('\n')) {
    const group = line.split(':').slice(2).join(':');
    const container = /(?:^|[/-])(docker|libpod)[-/]([0-9a-f]{64})(?:\.scope)?(?:\/|$)/.exec(group);
    if (container) {
      const via = container[1] === 'docker' ? 'docker' : 'podman';
      return { via, container: (container[2] ?? '').slice(0, 12) };
    }
    const units = group.split('/').filter((part) => part.endsWith('.service'));
    const unit = units.at(-1);
    if (unit === undefined || unit.startsWith('user@')) continue;
    const read = readPlace(
      `journald:${units.some((part) => part.startsWith('user@')) ? 'user/' : ''}${unit}`,
    );
    if (read.ok) return read.place;
  }
  return null;
}

/** llama.cpp writes to `--log-file FILE`, too. */
async function logFileOf(folder: string): Promise<LogPlace | null> {
  const words = (await text(path.join(folder, 'cmdline'))).split('\0');
  const at = words.findIndex((word) => /^--log-file(?:=|$)/.test(word));
  const named = words[at]?.split('=')[1] ?? (at < 0 ? undefined : words[at + 1]);
  if (named === undefined || named === '') return null;
  const cwd = await fs.promises.readlink(path.join(folder, 'cwd')).catch(() => '/');
  const file = path.resolve(cwd, named);
  return (await fs.promises.access(file).then(
    () => true,
    () => false,
  ))
    ? { via: 'file', path: file }
    : null;
}

async function text(file: string): Promise<string> {
  return fs.promises.readFile(file, 'utf8').catch(() => '');
}
