import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type RawReply, packets } from './raw-server.js';

/** The folder of all recordings. */
export const RECORDINGS = new URL('../fixtures/recorded/', import.meta.url);

/** A recorded answer: its head, and its body in the pieces in which it came. */
export interface RecordedAnswer {
  /** Status line and headers with the empty line. */
  readonly head: string;
  readonly chunked: boolean;
  readonly bodies: readonly string[];
}

/** Reads a recording, `ollama/chat-stream`. See the README of the folder for its form. */
export function readRecording(name: string): RecordedAnswer {
  const text = readFileSync(fileURLToPath(new URL(`${name}.txt`, RECORDINGS)), 'utf8');
  const [, answer = ''] = text.split('<<< answer\n');
  // CRLF stands as `\r\n` before the end of a line; every other end of a line is an LF.
  const parts = answer.split(/^@\d+ms\n/m).map((part) => part.replaceAll('\\r\\n\n', '\r\n'));
  const whole = parts.join('');
  const head = whole.slice(0, whole.indexOf('\r\n\r\n') + 4);
  const chunked = /transfer-encoding: chunked/i.test(head);
  if (!chunked) return { head, chunked, bodies: [whole.slice(head.length)] };
  const bodies = parts.map((part) => dechunk(part.startsWith('HTTP/') ? part.slice(head.length) : part));
  return { head, chunked, bodies: bodies.filter((body) => body !== '') };
}

/**
 * A recorded answer as a reply: its head, and its body in the same packets, without the waits. Lengths are counted anew, since paths and
 * names were replaced in the recordings.
 */
export function recorded(name: string): RawReply {
  const { head, chunked, bodies } = readRecording(name);
  if (!chunked) {
    const body = bodies.join('');
    return packets([head.replace(/(content-length:) \d+/i, `$1 ${Buffer.byteLength(body)}`), body]);
  }
  const chunks = bodies.map((body) => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`);
  return packets([head, ...chunks, '0\r\n\r\n']);
}

function dechunk(part: string): string {
  return part
    .split('\r\n')
    .filter((piece) => !/^[0-9a-f]+$/.test(piece))
    .join('');
}
