import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type RawReply, packets } from './raw-server.js';

const FOLDER = new URL('../fixtures/recorded/', import.meta.url);

/** A recorded answer as a reply: the same bytes with the same borders of packets, without the waits. See the README of the folder. */
export function recorded(name: string): RawReply {
  const [, answer = ''] = readFileSync(fileURLToPath(new URL(`${name}.txt`, FOLDER)), 'utf8').split(
    '<<< answer\n',
  );
  const parts = answer
    .split(/^@\d+ms\n/m)
    .map(bytesOf)
    .filter((part) => part.length > 0);
  return packets(parts);
}

/** `\r\n` at the end of a line stands for CRLF; a bare end of line is an LF, but the last one of a packet is the recorder's own. */
function bytesOf(packet: string): string {
  const text = packet.endsWith('\\r\\n\n') ? packet.slice(0, -1) : packet.replace(/\n$/, '');
  return text.replace(/\\r\\n\n?/g, '\r\n');
}
