import fs from 'node:fs';
import { sanitizeLine } from '../../widgets/text/sanitize.js';

/** Of its output, to tell why it ended. */
const LAST_BYTES = 4096;

/** The last line of what it wrote: mostly why it ended. */
export function lastLineOf(file: string): string | null {
  try {
    const fd = fs.openSync(file, 'r');
    try {
      const { size } = fs.fstatSync(fd);
      const bytes = Buffer.alloc(Math.min(size, LAST_BYTES));
      fs.readSync(fd, bytes, 0, bytes.length, size - bytes.length);
      const lines = bytes
        .toString('utf8')
        .split('\n')
        .map((line) => sanitizeLine(line).trim());
      return lines.findLast((line) => line !== '') ?? null;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    return null;
  }
}
