import fs from 'node:fs';
import path from 'node:path';
import type { ServerProcess } from '../domain/hardware.js';
import type { Clock } from '../ports.js';
import { parseListening, type Listening } from './listening-ports.js';
import { openProcFiles } from './proc-files.js';
import { parseCommandLine, parseProcessMemory, parseProcessStat } from './process-files.js';
import { isEngine, modelInArguments, serverName } from './server-names.js';

export interface ProcessWatchOptions {
  readonly clock: Clock;
  /** Folder that holds proc/. */
  readonly root: string;
  /** This program, which is told too. */
  readonly pid: number;
  /** Whose open files can be read: everybody's for 0. */
  readonly uid: number;
  /** Ports on which known servers of this machine answer: whoever listens there is told, whatever its name. */
  readonly serverPorts: () => readonly number[];
}

export interface ProcessWatch {
  /** Looks for model servers anew, in slices with pauses between them; told through `sample` from then on. */
  find(): void;
  /** Figures of those that were found; null before the first search has ended or where processes cannot be seen. */
  sample(): readonly ServerProcess[] | null;
  stop(): void;
}

/** A slice of the search looks at so many processes, some 2 ms, and the next comes after this pause. */
const SLICE = 32;
const PAUSE_MS = 15;
/** Every so many searches all processes are read again: one may have become another program since. */
const FULL_EVERY = 6;
const MOST_PROCESSES = 8192;
const MOST_SERVERS = 24;
const MOST_OPEN_FILES = 1024;
const TICKS_PER_SECOND = 100;
const KTHREADD = 2;
/** CPU shares are told only over spans between these. */
const SHORTEST_S = 0.2;
const LONGEST_S = 60;

interface Server {
  readonly pid: number;
  readonly startedAt: number;
  readonly name: string;
  readonly model: string | null;
  readonly ports: readonly number[];
  before: { readonly at: number; readonly ticks: number } | null;
}

type Named = Pick<Server, 'pid' | 'startedAt' | 'name' | 'model'>;

export function openProcessWatch(options: ProcessWatchOptions): ProcessWatch {
  const { clock, root } = options;
  const files = openProcFiles(root, 0);
  let servers: readonly Server[] | null = null;
  let searches = 0;
  let searching: Generator<undefined, readonly Server[] | null> | null = null;
  let cancel: (() => void) | null = null;
  /** Every process that was looked at: a server, or null. */
  let seen = new Map<number, Named | null>();
  /** Sockets of wanted ports whose owner could not be found; not searched for again while they are the same. */
  let ownerless = new Set<string>();

  function step(): void {
    cancel = null;
    const { done, value } = searching?.next() ?? { done: true, value: null };
    if (done !== true) {
      cancel = clock.after(PAUSE_MS, step);
      return;
    }
    searching = null;
    servers = value ?? null;
  }

  /** Yields after each slice. */
  function* search(): Generator<undefined, readonly Server[] | null> {
    const pids = listProcesses(root);
    if (!pids) return null;
    if (searches++ % FULL_EVERY === 0) {
      seen = new Map();
      ownerless = new Set();
    }
    const now = new Map<number, Named | null>();
    let looked = 0;
    for (const pid of pids) {
      const known = seen.get(pid);
      if (known === undefined && ++looked % SLICE === 0) yield;
      now.set(pid, known === undefined ? look(pid) : known);
    }
    seen = now;
    const named = [...now.values()].filter((each) => each !== null).slice(0, MOST_SERVERS);
    return yield* withPorts(named, pids);
  }

  function* withPorts(
    named: readonly Named[],
    pids: readonly number[],
  ): Generator<undefined, readonly Server[]> {
    const others = named.some(({ pid }) => pid !== options.pid);
    const serverPorts = options.serverPorts();
    const listening = new Map<string, Listening>();
    if (others || serverPorts.length > 0)
      for (const file of ['proc/net/tcp', 'proc/net/tcp6'])
        for (const socket of parseListening(files.read(file) ?? '')) listening.set(socket.inode, socket);
    const found: Server[] = [];
    const taken = new Set<number>();
    for (const each of named) {
      if (each.pid !== options.pid) yield;
      const ports = each.pid === options.pid ? [] : portsOf(root, each.pid, listening);
      for (const port of ports) taken.add(port);
      found.push(withBefore(each, ports));
    }
    const wanted = new Set(serverPorts.filter((port) => !taken.has(port)));
    const missing = new Map(
      [...listening].filter(
        ([inode, { port, uid }]) =>
          wanted.has(port) && !ownerless.has(inode) && (options.uid === 0 || uid === options.uid),
      ),
    );
    const isNamed = new Set(named.map(({ pid }) => pid));
    // Newest first: a server is started after the desktop around it.
    for (const pid of [...pids].reverse()) {
      if (missing.size === 0) break;
      if (isNamed.has(pid)) continue;
      yield;
      const ports = portsOf(root, pid, missing);
      if (ports.length === 0) continue;
      for (const [inode, { port }] of missing) if (ports.includes(port)) missing.delete(inode);
      const owner = identify(pid);
      if (owner) found.push(withBefore({ ...owner.named, name: owner.comm }, ports));
    }
    for (const inode of missing.keys()) ownerless.add(inode);
    return found;
  }

  function identify(pid: number): { readonly named: Named; readonly comm: string } | null {
    const stat = parseProcessStat(files.read(`proc/${pid}/stat`) ?? '');
    if (!stat || stat.parent === KTHREADD || pid === KTHREADD) return null;
    const command = parseCommandLine(stat.comm, files.read(`proc/${pid}/cmdline`) ?? '');
    const name =
      pid === options.pid
        ? 'lmapp'
        : stat.parent === options.pid && isEngine(command)
          ? 'lmapp engine'
          : serverName(command);
    const model = pid === options.pid ? null : modelInArguments(command.args);
    return { comm: stat.comm, named: { pid, startedAt: stat.startedAt, name: name ?? '', model } };
  }

  function look(pid: number): Named | null {
    const { named } = identify(pid) ?? {};
    return named && named.name !== '' ? named : null;
  }

  /** Carries the reading of before over, so that a search does not make a gap. */
  function withBefore(named: Named, ports: readonly number[]): Server {
    const same = servers?.find(({ pid, startedAt }) => pid === named.pid && startedAt === named.startedAt);
    return { ...named, ports, before: same?.before ?? null };
  }

  function figuresOf(server: Server): ServerProcess | null {
    const stat = parseProcessStat(files.read(`proc/${server.pid}/stat`) ?? '');
    // Ended, or its number belongs to another one now.
    if (!stat || stat.startedAt !== server.startedAt) return null;
    const at = clock.monotonic();
    const seconds = server.before ? (at - server.before.at) / 1000 : 0;
    const ticks = server.before ? stat.ticks - server.before.ticks : -1;
    const usable = seconds >= SHORTEST_S && seconds <= LONGEST_S && ticks >= 0;
    // Readings that follow each other too closely are counted from the same one.
    if (!server.before || seconds >= SHORTEST_S) server.before = { at, ticks: stat.ticks };
    const memory = parseProcessMemory(files.read(`proc/${server.pid}/status`) ?? '');
    return {
      pid: server.pid,
      name: server.name,
      ports: server.ports,
      model: server.model,
      cpu: usable ? ticks / TICKS_PER_SECOND / seconds : null,
      memoryBytes: memory.ownBytes,
      mappedBytes: memory.mappedBytes,
    };
  }

  return {
    find() {
      if (searching) return;
      searching = search();
      step();
    },
    sample() {
      if (!servers) return null;
      const told: ServerProcess[] = [];
      const alive: Server[] = [];
      for (const server of servers) {
        const figures = figuresOf(server);
        if (!figures) continue;
        told.push(figures);
        alive.push(server);
      }
      servers = alive;
      return told;
    },
    stop() {
      cancel?.();
      cancel = null;
      searching = null;
    },
  };
}

function listProcesses(root: string): readonly number[] | null {
  try {
    return fs
      .readdirSync(path.join(root, 'proc'))
      .filter((name) => /^[1-9]\d*$/.test(name))
      .slice(0, MOST_PROCESSES)
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return null;
  }
}

/** Ports among `listening` whose sockets this process holds; none of a process whose files may not be read. */
function portsOf(root: string, pid: number, listening: ReadonlyMap<string, Listening>): readonly number[] {
  const folder = path.join(root, 'proc', String(pid), 'fd');
  const ports = new Set<number>();
  try {
    for (const fd of fs.readdirSync(folder).slice(0, MOST_OPEN_FILES)) {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(path.join(folder, fd)))?.[1];
      const socket = inode === undefined ? undefined : listening.get(inode);
      if (socket) ports.add(socket.port);
    }
  } catch {
    // Another user's.
  }
  return [...ports].sort((a, b) => a - b);
}

function linkOf(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return '';
  }
}
