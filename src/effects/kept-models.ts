import type { Clock } from '../ports.js';
import { openModelCache, type CachedModels } from '../sessions/remembered.js';
import type { BackendEntry } from '../state/models-state.js';

/** The file is written at most this often. */
const WRITE_MS = 1000;
/** So many models of a server are kept for the next start, which must stay quick. */
const MOST_MODELS = 500;
const MOST_SERVERS = 50;

/** The models of all servers on the disk, for the next start. */
export interface KeptModels {
  /** As they were at the end of the last run. */
  readonly atStart: readonly CachedModels[];
  /** They changed: they are written some time later. */
  writeSoon(): void;
  /** Writes what `writeSoon` still holds back, if anything changed. */
  close(): void;
}

/** `entries`: the servers as they are known now. Servers of an earlier run that were not asked in this one stay in the file. */
export function openKeptModels(
  file: string,
  clock: Clock,
  entries: () => readonly BackendEntry[],
): KeptModels {
  const cache = openModelCache(file);
  const atStart = cache.read() ?? [];
  let cancelTimer: (() => void) | null = null;
  let written: readonly BackendEntry[] | null = null;

  function write(): void {
    const now = entries();
    if (now === written) return;
    written = now;
    const fresh: CachedModels[] = now
      .filter((entry) => !entry.cached && entry.info.kind !== 'mock')
      .map(({ info, models }) => ({ backend: info, models: models.slice(0, MOST_MODELS) }));
    const others = atStart.filter(
      ({ backend }) => !fresh.some((f) => f.backend.id === backend.id || f.backend.url === backend.url),
    );
    cache.write([...fresh, ...others].slice(0, MOST_SERVERS));
  }

  return {
    atStart,
    writeSoon() {
      cancelTimer ??= clock.after(WRITE_MS, () => {
        cancelTimer = null;
        write();
      });
    },
    close() {
      cancelTimer?.();
      write();
    },
  };
}
