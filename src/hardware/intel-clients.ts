import fs from 'node:fs';
import path from 'node:path';
import type { Clock } from '../ports.js';

/** What one program has of a card, from /proc/PID/fdinfo/N: engine counters since it opened the card, and memory. */
export interface DrmClient {
  readonly card: string;
  /** A program may hold a card open several times; the same client counts once. */
  readonly client: string;
  readonly pid: number;
  /** Nanoseconds (i915) by engine. */
  readonly engineNs: ReadonlyMap<string, number>;
  /** Cycles (xe) by engine: its own and all that passed. */
  readonly cycles: ReadonlyMap<string, { readonly own: number; readonly all: number }>;
  readonly memoryBytes: number | null;
}

/** One fdinfo file; null when it is of another kind of file or another driver. */
export function parseFdinfo(text: string, pid: number): DrmClient | null {
  if (!/^drm-driver:\s*(?:i915|xe)$/m.test(text)) return null;
  const card = /^drm-pdev:\s*(\S+)$/m.exec(text)?.[1];
  const client = /^drm-client-id:\s*(\d+)$/m.exec(text)?.[1];
  if (card === undefined || client === undefined) return null;
  const engineNs = new Map<string, number>();
  const own = new Map<string, number>();
  const all = new Map<string, number>();
  for (const [, kind, engine = '', value] of text.matchAll(
    /^drm-(engine|cycles|total-cycles)-(?!capacity-)([\w-]+):\s*(\d+)(?: ns)?$/gm,
  ))
    (kind === 'engine' ? engineNs : kind === 'cycles' ? own : all).set(engine, Number(value));
  const cycles = new Map(
    [...own].flatMap(([engine, count]) => {
      const total = all.get(engine);
      return total === undefined ? [] : [[engine, { own: count, all: total }] as const];
    }),
  );
  const memory = /^drm-(?:resident|total)-(?:vram0|local0):\s*(\d+)\s*(KiB|MiB)?$/m.exec(text);
  const unit = memory?.[2] === 'MiB' ? 1024 ** 2 : memory?.[2] === 'KiB' ? 1024 : 1;
  return { card, client, pid, engineNs, cycles, memoryBytes: memory ? Number(memory[1]) * unit : null };
}

/**
 * The share of the busiest engine between two looks at the same clients; null when no client was seen twice, so that nothing is known.
 * `elapsedNs` is between the looks.
 */
export function engineShare(
  before: readonly DrmClient[],
  now: readonly DrmClient[],
  elapsedNs: number,
): number | null {
  const busy = new Map<string, number>();
  const known = new Map(before.map((client) => [client.client, client]));
  for (const client of now) {
    const was = known.get(client.client);
    if (!was) continue;
    for (const [engine, ns] of client.engineNs) {
      const delta = ns - (was.engineNs.get(engine) ?? NaN);
      if (delta >= 0 && elapsedNs > 0) busy.set(engine, (busy.get(engine) ?? 0) + delta / elapsedNs);
    }
    for (const [engine, { own, all }] of client.cycles) {
      const earlier = was.cycles.get(engine);
      if (!earlier || all <= earlier.all || own < earlier.own) continue;
      busy.set(engine, (busy.get(engine) ?? 0) + (own - earlier.own) / (all - earlier.all));
    }
  }
  return busy.size === 0 ? null : Math.min(1, Math.max(...busy.values()));
}

export interface ClientWatch {
  /** Reads the counters of the clients that are known, and looks for new ones now and then. */
  read(): Promise<{ readonly clients: readonly DrmClient[]; readonly complete: boolean }>;
}

/** Walking all open files of all programs costs some milliseconds. */
const SEARCH_MS = 30_000;
const MOST_FILES = 4096;

export function watchClients(root: string, clock: Clock): ClientWatch {
  const proc = path.join(root, 'proc');
  let searchedAt = -Infinity;
  let places: readonly (readonly [pid: number, fd: string])[] = [];
  /** Files of every program could be looked at: what was found is all there is. */
  let complete = false;

  async function search(): Promise<void> {
    const found: (readonly [number, string])[] = [];
    let all = true;
    for (const name of list(proc) ?? []) {
      if (!/^\d+$/.test(name)) continue;
      const fds = list(path.join(proc, name, 'fd'));
      if (fds === null) all = false;
      for (const fd of (fds ?? []).slice(0, MOST_FILES))
        if (target(path.join(proc, name, 'fd', fd)).startsWith('/dev/dri/')) found.push([Number(name), fd]);
      // One program at a time, so that nothing else has to wait.
      await new Promise((resolve) => setImmediate(resolve));
    }
    places = found;
    complete = all;
  }

  return {
    async read() {
      if (clock.monotonic() - searchedAt >= SEARCH_MS) {
        searchedAt = clock.monotonic();
        await search();
      }
      const clients = new Map<string, DrmClient>();
      for (const [pid, fd] of places) {
        const client = parseFdinfo(text(path.join(proc, String(pid), 'fdinfo', fd)), pid);
        if (client) clients.set(`${client.card} ${client.client}`, client);
      }
      return { clients: [...clients.values()], complete };
    },
  };
}

function list(folder: string): readonly string[] | null {
  try {
    return fs.readdirSync(folder);
  } catch {
    return null;
  }
}

function target(link: string): string {
  try {
    return fs.readlinkSync(link);
  } catch {
    return '';
  }
}

function text(file: string): string {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
