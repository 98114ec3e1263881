import type { MemoryCheck } from '../domain/hardware.js';
import { groupEvents, openMemoryLimit } from './cgroup.js';
import { readMemory } from './memory.js';
import { readPressure } from './pressure.js';
import { numberAfter, openProcFiles } from './proc-files.js';

/**
 * Looks at nothing but the memory of this machine, some 0.1 ms a look: for the time in which its readings are not shown, as the kernel ends
 * programs then, too. Only where there is /proc: elsewhere it would take programs. `root` is the folder that holds proc/ and sys/.
 */
export function openMemoryGuard(root = '/'): () => MemoryCheck {
  const files = openProcFiles(root);
  const limitFor = openMemoryLimit(files);
  return () => {
    const totalKb = numberAfter(files.read('proc/meminfo') ?? '', 'MemTotal:');
    const limit = limitFor(totalKb === null ? null : totalKb * 1024);
    const { memoryUsedBytes, memoryTotalBytes, swapUsedBytes } = readMemory(files, () => limit);
    const events = limit ? groupEvents(files, limit) : null;
    return {
      memoryUsedBytes,
      memoryTotalBytes,
      swapUsedBytes,
      pressure: readPressure(files, limit?.folder ?? null),
      // In a container the count of the whole machine would be somebody else's.
      oomKills: events ? events.oomKills : numberAfter(files.read('proc/vmstat') ?? '', 'oom_kill '),
      limitHits: events?.limitHits ?? null,
    };
  };
}
