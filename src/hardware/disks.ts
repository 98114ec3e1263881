import fs from 'node:fs';
import type { DiskSpace } from '../domain/hardware.js';
import type { Clock } from '../ports.js';

/** How the disks behind some folders are asked. */
export interface Disks {
  /**
   * One row a disk, in the order of the folders; folders that are not there are left out. A disk that does not answer in time has a row
   * without figures, and is not asked again while it hangs.
   */
  read(): Promise<readonly DiskSpace[]>;
  /** Folders whose disk hangs now. */
  readonly hanging: readonly string[];
}

interface Asked {
  readonly device: number;
  readonly space: DiskSpace;
}

const WAIT_MS = 2000;
/** A question to a network disk that is gone holds one of Node's four file threads until it comes back; so many at most. */
const MOST_HANGING = 2;

export function openDisks(folders: readonly string[], clock: Clock, ask = askDisk): Disks {
  const hanging = new Set<string>();

  function askInTime(folder: string): Promise<Asked | 'late' | null> {
    return new Promise((resolve) => {
      const cancel = clock.after(WAIT_MS, () => {
        hanging.add(folder);
        resolve('late');
      });
      ask(folder)
        .then(resolve, () => resolve(null))
        .finally(() => {
          cancel();
          hanging.delete(folder);
        });
    });
  }

  return {
    async read() {
      const rows: DiskSpace[] = [];
      const devices = new Set<number>();
      for (const folder of folders) {
        const blocked = hanging.has(folder) || hanging.size >= MOST_HANGING;
        const asked = blocked ? 'late' : await askInTime(folder);
        if (asked === 'late') {
          if (hanging.has(folder)) rows.push({ path: folder, freeBytes: null, totalBytes: null });
        } else if (asked && !devices.has(asked.device)) {
          devices.add(asked.device);
          rows.push(asked.space);
        }
      }
      return rows;
    },
    get hanging() {
      return [...hanging];
    },
  };
}

/** Null when the folder is not there. Free is what a user may write, without the reserve of root. */
async function askDisk(folder: string): Promise<Asked | null> {
  const stat = await fs.promises.stat(folder).catch(() => null);
  if (!stat) return null;
  const disk = await fs.promises.statfs(folder);
  const totalBytes = disk.blocks * disk.bsize;
  // A file system without blocks (an overlay of the kernel, some FUSE) says 0 of 0: it tells nothing.
  const space: DiskSpace =
    totalBytes > 0
      ? { path: folder, freeBytes: disk.bavail * disk.bsize, totalBytes }
      : { path: folder, freeBytes: null, totalBytes: null };
  return { device: stat.dev, space };
}
