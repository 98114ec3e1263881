/** A line between a program and its terminal: a buffer in front of a narrow pipe that also takes time. */
export interface LinkOptions {
  readonly bytesPerSecond: number;
  /** Each way, in ms. */
  readonly delayMs: number;
  /** What sshd and the sockets swallow before the program notices that nothing moves. */
  readonly bufferBytes: number;
}

export interface SlowLink {
  /** Bytes of the program on their way to the terminal. */
  send(bytes: Buffer): void;
  /** A call on its way from the terminal to the program: takes the delay, no width. */
  back(run: () => void): void;
  /** Bytes that have not left the buffer. */
  readonly queuedBytes: number;
  close(): void;
}

/** Small, so that the arrival of a long frame is spread over time as on a real line. */
const PACKET_BYTES = 128;

/**
 * `deliver` gets the packets in order when they arrive; `onFull(true)` says that the buffer is full and the program shall not be
 * read any more, `onFull(false)` that it may be again.
 */
export function slowLink(
  options: LinkOptions,
  deliver: (bytes: Buffer) => void,
  onFull: (full: boolean) => void,
): SlowLink {
  const packets: { bytes: Buffer; leavesAt: number }[] = [];
  const calls: { run: () => void; arrivesAt: number }[] = [];
  let pipeFreeAt = 0;
  let full = false;
  let timer: NodeJS.Timeout | null = null;
  let backTimer: NodeJS.Timeout | null = null;

  const queuedBytes = (): number => {
    const now = performance.now();
    return packets.reduce((sum, packet) => (packet.leavesAt > now ? sum + packet.bytes.length : sum), 0);
  };

  const deliverDue = (): void => {
    timer = null;
    const now = performance.now();
    for (let first = packets[0]; first !== undefined; first = packets[0]) {
      const wait = first.leavesAt + options.delayMs - now;
      if (wait > 0) {
        timer = setTimeout(deliverDue, wait);
        break;
      }
      packets.shift();
      deliver(first.bytes);
    }
    if (full && queuedBytes() < options.bufferBytes / 2) {
      full = false;
      onFull(false);
    }
  };

  const callDue = (): void => {
    backTimer = null;
    for (let first = calls[0]; first !== undefined; first = calls[0]) {
      const wait = first.arrivesAt - performance.now();
      if (wait > 0) {
        backTimer = setTimeout(callDue, wait);
        return;
      }
      calls.shift();
      first.run();
    }
  };

  return {
    send(bytes) {
      for (let at = 0; at < bytes.length; at += PACKET_BYTES) {
        const packet = bytes.subarray(at, at + PACKET_BYTES);
        pipeFreeAt =
          Math.max(pipeFreeAt, performance.now()) + (packet.length * 1000) / options.bytesPerSecond;
        packets.push({ bytes: packet, leavesAt: pipeFreeAt });
      }
      timer ??= setTimeout(deliverDue, options.delayMs);
      if (!full && queuedBytes() > options.bufferBytes) {
        full = true;
        onFull(true);
      }
    },
    back(run) {
      calls.push({ run, arrivesAt: performance.now() + options.delayMs });
      backTimer ??= setTimeout(callDue, options.delayMs);
    },
    get queuedBytes() {
      return queuedBytes();
    },
    close() {
      if (timer !== null) clearTimeout(timer);
      if (backTimer !== null) clearTimeout(backTimer);
    },
  };
}
