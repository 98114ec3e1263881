import { opendir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../files.js';

/** A file that was come across. */
export interface WalkedFile {
  /** As it was reached; may be a link. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** The same for every way to the same file. */
  readonly identity: string;
}

export interface WalkLimits {
  /** 0: the folder itself only. */
  readonly depth: number;
  /** Entries looked at, over all folders. */
  readonly entries: number;
  /** Files given. */
  readonly files: number;
}

/** The questions to the file system, each waited for as long as the caller has patience. */
export interface Asking {
  <T>(question: Promise<T>): Promise<T>;
}

/**
 * The files below a folder whose names are wanted. Links are followed, each folder is entered once however many ways lead to it, and
 * what cannot be read is passed over. Throws what `ask` throws when it is tired of waiting; all other errors are passed over.
 * `seen`: the folders entered so far, shared by walks that may meet.
 */
export async function walkFolder(
  folder: string,
  limits: WalkLimits,
  wanted: (name: string) => boolean,
  { ask, seen }: { readonly ask: Asking; readonly seen: Set<string> },
): Promise<readonly WalkedFile[]> {
  const found: WalkedFile[] = [];
  let entries = limits.entries;
  const todo: { readonly folder: string; readonly depth: number }[] = [{ folder, depth: 0 }];
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    const { folder: at, depth } = next;
    const real = await passedOver(ask, realpath(at));
    // A walk of this folder alone must not keep a deeper one from its folders.
    const key = `${limits.depth - depth} ${real ?? ''}`;
    if (real === null || seen.has(key)) continue;
    seen.add(key);
    const names = await namesIn(at, entries, ask);
    entries -= names.length;
    for (const { name, isFolder, isLink } of names) {
      const file = path.join(at, name);
      const fits = wanted(name);
      if (!fits && !isFolder && !isLink) continue;
      if (isFolder && !isLink) {
        if (depth < limits.depth) todo.push({ folder: file, depth: depth + 1 });
        continue;
      }
      const stats = await passedOver(ask, stat(file));
      if (stats === null) continue;
      if (stats.isDirectory() && depth < limits.depth) todo.push({ folder: file, depth: depth + 1 });
      if (!fits || !stats.isFile()) continue;
      found.push({
        path: file,
        sizeBytes: stats.size,
        modifiedMs: Math.round(stats.mtimeMs),
        identity: `${stats.dev}:${stats.ino}`,
      });
      if (found.length >= limits.files) return found;
    }
    if (entries <= 0) return found;
  }
  return found;
}

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
}

async function namesIn(folder: string, most: number, ask: Asking): Promise<readonly Entry[]> {
  const open = await passedOver(ask, opendir(folder));
  if (open === null) return [];
  const entries: Entry[] = [];
  try {
    while (entries.length < most) {
      const entry = await passedOver(ask, open.read());
      if (entry === null) break;
      entries.push({ name: entry.name, isFolder: entry.isDirectory(), isLink: entry.isSymbolicLink() });
    }
  } finally {
    open.close().catch(() => undefined);
  }
  // The order of the disk is none; split files and names for twins need one.
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Null for what cannot be read: gone, forbidden, a circle of links. */
async function passedOver<T>(ask: Asking, question: Promise<T>): Promise<T | null> {
  try {
    return await ask(question);
  } catch (error) {
    if (systemCode(error) !== '') return null;
    throw error;
  }
}
