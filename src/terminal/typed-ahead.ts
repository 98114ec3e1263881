/** What was typed while the program started, and the terminal was in the mode of the shell. */
import fs from 'node:fs';

const MOST_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Takes what waits on the terminal, without waiting for more. The mode of the shell has made a newline of every Enter, so a newline is
 * Enter here; Ctrl+J in that moment is, too. Empty where no second description of the terminal can be had: then it is read with the rest.
 */
export function takeTypedAhead(stdin: {
  readonly isTTY?: boolean | undefined;
  readonly fd?: number | undefined;
}): Buffer {
  const taken: Buffer[] = [];
  if (stdin.isTTY !== true || stdin.fd === undefined) return Buffer.alloc(0);
  let fd: number;
  try {
    const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
    fd = fs.openSync(`/proc/self/fd/${stdin.fd}`, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return Buffer.alloc(0);
  }
  try {
    for (let total = 0; total < MOST_BYTES;) {
      const chunk = Buffer.alloc(4096);
      const length = fs.readSync(fd, chunk);
      if (length === 0) break;
      taken.push(chunk.subarray(0, length));
      total += length;
    }
  } catch {
    // EAGAIN: that was all. A terminal that is gone is told by the stream.
  } finally {
    fs.closeSync(fd);
  }
  return Buffer.concat(taken).map((byte) => (byte === NEWLINE ? RETURN : byte)) as Buffer;
}
