/** A socket that listens. */
export interface Listening {
  readonly port: number;
  readonly inode: string;
  readonly uid: number;
}

/** Connections that follow the listening sockets are not looked at beyond this: the kernel tells the latter first. */
const MOST_LINES = 4096;
/** TCP_LISTEN */
const LISTEN = '0A';

/** `/proc/net/tcp` or `tcp6`: number, local address, remote address, state, queues, timer, retransmits, uid, timeout, inode; hexadecimal. */
export function parseListening(text: string): readonly Listening[] {
  const found: Listening[] = [];
  for (const line of text.split('\n', MOST_LINES)) {
    // Most lines are connections.
    if (!line.includes(` ${LISTEN} `)) continue;
    const fields = line.trim().split(/\s+/, 10);
    if (fields[3] !== LISTEN) continue;
    const port = Number.parseInt(fields[1]?.split(':').at(-1) ?? '', 16);
    const uid = Number(fields[7]);
    const inode = fields[9] ?? '';
    if (port > 0 && port <= 65_535 && Number.isInteger(uid) && /^[1-9]\d*$/.test(inode))
      found.push({ port, inode, uid });
  }
  return found;
}
