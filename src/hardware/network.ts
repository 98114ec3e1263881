/** Bytes over all interfaces but loopback since the start. */
export interface NetReading {
  readonly received: number;
  readonly sent: number;
}

export interface NetRates {
  readonly netReceivedPerSecond: number | null;
  readonly netSentPerSecond: number | null;
}

/**
 * Sums /proc/net/dev. A bridge and the interfaces behind it both count the same packet, so the virtual ends of containers (veth, docker
 * and br- bridges) are left out.
 */
export function readNet(dev: string): NetReading | null {
  let received = 0;
  let sent = 0;
  let seen = false;
  const line = /^\s*([^\s:]+):\s*(\d+)(?:\s+\d+){7}\s+(\d+)/gm;
  for (let found = line.exec(dev); found; found = line.exec(dev)) {
    if (/^(?:lo$|veth|docker|br-|virbr)/.test(found[1] ?? '')) continue;
    seen = true;
    received += Number(found[2]);
    sent += Number(found[3]);
  }
  return seen ? { received, sent } : null;
}

/** Rates between two readings; null when a counter went back, which an interface that left or a driver reset causes. */
export function netRates(before: NetReading | null, now: NetReading | null, seconds: number): NetRates {
  if (!before || !now || now.received < before.received || now.sent < before.sent)
    return { netReceivedPerSecond: null, netSentPerSecond: null };
  return {
    netReceivedPerSecond: (now.received - before.received) / seconds,
    netSentPerSecond: (now.sent - before.sent) / seconds,
  };
}
