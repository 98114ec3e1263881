import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type RawReply, packets } from './raw-server.js';

const FOLDER = new URL('../fixtures/recorded/', import.meta.url);

/**
 * A recorded answer as a reply: its head, and its body in the same packets, without the waits. Lengths are counted anew, since paths and
 * names were replaced in the recordings. See the README of the folder for their form.
 */
export function recorded(name: string): RawReply {
  const text = readFileSync(fileURLToPath(new URL(`${name}.txt`, FOLDER)), 'utf8');
  const [, answer = ''] = text.split('<<< answer\n');
  // CRLF stands as `\r\n` before the end of a line; every other end of a line is an LF.
  const parts = answer.split(/^@\d+ms\n/m).map((part) => part.replaceAll('\\r\\n\n', '\r\n'));
  const whole = parts.join('');
  const head = whole.slice(0, whole.indexOf('\r\n\r\n') + 4);
  if (!/transfer-encoding: chunked/i.test(head)) {
    const body = whole.slice(head.length);
    return packets([head.replace(/(content-length:) \d+/i, `$1 ${Buffer.byteLength(body)}`), body]);
  }
  const bodies = parts.map((part) => dechunk(part.startsWith('HTTP/') ? part.slice(head.length) : part));
  const chunks = bodies
    .filter((body) => body !== '')
    .map((body) => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`);
  return packets([head, ...chunks, '0\r\n\r\n']);
}

function dechunk(part: string): string {
  return part
    .split('\r\n')
    .filter((piece) => !/^[0-9a-f]+$/.test(piece))
    .join('');
}
