import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { constants, createGunzip, createInflate } from 'node:zlib';
import { type WireError, wireError } from './wire-error.js';

/** Above this the socket is paused until the reader has caught up. */
const QUEUE_LIMIT_BYTES = 1 << 20;

/**
 * The body of one answer as decoded text, one string for all packets that wait: a burst is decoded
 * and parsed in one go. What arrived before an error is always delivered first: a stream's own
 * iterator would throw it away.
 */
export class TextBody implements AsyncIterable<string> {
  readonly #source: IncomingMessage;
  readonly #decoder = new StringDecoder('utf8');
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #first = true;
  #ended = false;
  #error: WireError | null = null;
  #wake: (() => void) | null = null;
  #whenOver: (() => void) | null = null;

  constructor(source: IncomingMessage, toError: (error: unknown) => WireError, heard: () => void) {
    this.#source = source;
    const fail = (error: unknown): void => this.fail(toError(error));
    source.on('error', fail);
    source.on('close', () => {
      if (!source.complete) fail(new Error('closed'));
    });
    const inflater = inflaterOf(source.headers['content-encoding']);
    if (inflater === null) {
      source.on('data', (bytes: Buffer) => {
        heard();
        this.#push(bytes);
      });
      source.on('end', () => this.#finish());
      return;
    }
    source.on('data', heard);
    inflater.on('data', (bytes: Buffer) => this.#push(bytes));
    inflater.on('end', () => this.#finish());
    inflater.on('error', () => this.fail(wireError('damaged-compression')));
    source.pipe(inflater);
  }

  /** Ends the body with an error, after what is already here. */
  fail(error: WireError): void {
    if (this.#ended || this.#error !== null) return;
    this.#error = error;
    this.#over();
  }

  /** Called once when no more will come. */
  whenOver(run: () => void): void {
    if (this.#ended || this.#error !== null) run();
    else this.#whenOver = run;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const queue = this.#queue;
      if (queue.length > 0) {
        const [first] = queue;
        const bytes = first && queue.length === 1 ? first : Buffer.concat(queue, this.#queuedBytes);
        this.#queue = [];
        this.#queuedBytes = 0;
        if (this.#source.isPaused()) this.#source.resume();
        const text = this.#decode(bytes);
        if (text !== '') yield text;
      } else if (this.#error !== null) {
        throw this.#error;
      } else if (this.#ended) {
        const rest = this.#decoder.end();
        if (rest !== '') yield rest;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }

  #push(bytes: Buffer): void {
    if (this.#error !== null) return;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > QUEUE_LIMIT_BYTES) this.#source.pause();
    this.#stir();
  }

  #decode(bytes: Buffer): string {
    const text = this.#decoder.write(bytes);
    if (text === '' || !this.#first) return text;
    this.#first = false;
    // StringDecoder leaves a byte order mark in the text.
    return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }

  #finish(): void {
    if (this.#error !== null) return;
    this.#ended = true;
    this.#over();
  }

  #over(): void {
    this.#whenOver?.();
    this.#whenOver = null;
    this.#stir();
  }

  #stir(): void {
    this.#wake?.();
    this.#wake = null;
  }
}

/** Null for a plain body. Flushes at every packet, so that deltas show before the end. */
function inflaterOf(encoding: string | undefined): Transform | null {
  const name = (encoding ?? 'identity').trim().toLowerCase();
  if (name === 'identity' || name === '') return null;
  const options = { flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH };
  if (name === 'gzip' || name === 'x-gzip') return createGunzip(options);
  if (name === 'deflate') return createInflate(options);
  throw wireError('unknown-compression', { words: name.replace(/[^a-z0-9-]/g, '?') });
}
