import fs from 'node:fs';
import type { Clock } from '../ports.js';

const EVERY_MS = 30_000;
const WAIT_MS = 2000;

/** Free space of one folder, asked rarely and never waited for. */
export interface DiskWatch {
  /** The last answer; null before it and when the disk does not answer. Asks anew when the answer is old. */
  free(): number | null;
}

/** `statfs` may hang on a network disk that is gone: it runs asynchronously, is raced with 2 s, and is never started twice. */
export function watchDisk(folder: string, clock: Clock): DiskWatch {
  let freeBytes: number | null = null;
  let askedAt = -Infinity;
  let asking = false;
  function ask(): void {
    asking = true;
    askedAt = clock.monotonic();
    const cancel = clock.after(WAIT_MS, () => (freeBytes = null));
    fs.promises
      .statfs(folder)
      .then(
        // Without blocks it tells nothing (some FUSE, overlays of the kernel).
        (stat) => (freeBytes = stat.blocks > 0 ? stat.bavail * stat.bsize : null),
        () => (freeBytes = null),
      )
      .finally(() => {
        cancel();
        asking = false;
      });
  }
  return {
    free() {
      if (!asking && clock.monotonic() - askedAt >= EVERY_MS) ask();
      return freeBytes;
    },
  };
}
