import { faultFor } from '../domain/fault-table.js';
import type { Exchange, WireAnswer } from '../wire/http.js';
import { readText } from '../wire/read.js';
import { WireError, wireErrorFrom } from '../wire/wire-error.js';
import type { Fault } from '../domain/fault.js';
import type { ChatEvent } from './backend.js';
import type { BackendWire } from './backend-wire.js';
import type { ChatReader, Verdict } from './chat-reader.js';
import { type FaultPlace, faultOfAnswer } from './server-fault.js';

/** How one chat request is sent and read. */
export interface ChatCall {
  readonly open: () => Exchange;
  readonly reader: ChatReader;
  readonly place: FaultPlace;
  readonly wire: Pick<BackendWire, 'clock' | 'faultOfWire'>;
  /** What is told right after `sent`. */
  readonly afterSent?: readonly ChatEvent[];
  /** What the head of a good answer tells. */
  readonly onHead?: (headers: WireAnswer['headers']) => readonly ChatEvent[];
  /**
   * Asked while no byte of the answer itself has come, also after its head: some servers send that at once. Resolves when there is
   * something to tell, or with null when there is nothing more.
   */
  readonly whileWaiting?: (signal: AbortSignal) => Promise<ChatEvent | null>;
  /** The model has begun to speak. */
  readonly onWord?: () => void;
  readonly signal: AbortSignal;
}

const ERROR_BODY_LIMIT_CHARS = 1024 * 1024;
/** After the server's own end only figures may come; a server that keeps the socket open then is not waited for. */
const GRACE_MS = 3000;

export type Ended = Extract<ChatEvent, { type: 'ended' }>;

/** Runs one request. Yields everything but `ended`, which it returns: the caller may ask once more instead. */
export async function* streamChat(call: ChatCall): AsyncGenerator<ChatEvent, Ended> {
  let answer: WireAnswer | null = null;
  let watch = call.whileWaiting;
  try {
    const exchange = call.open();
    if (await exchange.sent) {
      yield { type: 'sent' };
      for (const event of call.afterSent ?? []) yield event;
      if (watch !== undefined && !(yield* watchWait(exchange.answer, watch))) watch = undefined;
    }
    answer = await exchange.answer;
    if (answer.status < 200 || answer.status > 299) {
      const text = await readText(answer, ERROR_BODY_LIMIT_CHARS);
      return failed(faultOfAnswer(answer.status, answer.headers, text, call.place, call.wire.clock.now()));
    }
    if (/^text\/html/i.test(answer.headers['content-type'] ?? '')) return failed(faultFor('web-page'));
    for (const event of call.onHead?.(answer.headers) ?? []) yield event;
    let body: AsyncIterable<string> = answer.body;
    if (watch !== undefined) {
      const parts = body[Symbol.asyncIterator]();
      const first = parts.next();
      yield* watchWait(first, watch);
      body = resumed(first, parts);
    }
    return yield* readAnswer({ ...answer, body }, call.reader, call.onWord);
  } catch (error) {
    if (call.signal.aborted) return { type: 'ended', outcome: 'cancelled', reason: null, fault: null };
    const fault = call.wire.faultOfWire(wireErrorFrom(error, 'the server', true));
    return {
      type: 'ended',
      outcome: fault.code === 'broken' ? 'broken' : 'failed',
      reason: null,
      fault,
    };
  } finally {
    answer?.close();
  }
}

async function* readAnswer(
  answer: WireAnswer,
  reader: ChatReader,
  onWord?: () => void,
): AsyncGenerator<ChatEvent, Ended> {
  let grace = false;
  try {
    for await (const text of answer.body) {
      for (const event of reader.feed(text)) {
        if (event.type === 'text' || event.type === 'reasoning') onWord?.();
        yield event;
      }
      if (reader.over) break;
      if (reader.finishing && !grace) {
        grace = true;
        answer.limitSilence(GRACE_MS);
      }
    }
  } catch (error) {
    for (const event of reader.end()) yield event;
    // The server had said how the answer ended; what broke after that was not part of it.
    if (reader.verdict().outcome === 'incomplete' || (error instanceof WireError && error.cancelled))
      throw error;
    return yield* conclude(reader.verdict());
  }
  for (const event of reader.end()) yield event;
  return yield* conclude(reader.verdict());
}

function* conclude(verdict: Verdict): Generator<ChatEvent, Ended> {
  for (const text of verdict.notes) yield { type: 'note', text };
  return { type: 'ended', outcome: verdict.outcome, reason: verdict.reason, fault: verdict.fault };
}

/** Asks what the wait is for, until it is over. True when it was over before all was told. */
async function* watchWait(
  awaited: Promise<unknown>,
  whileWaiting: (signal: AbortSignal) => Promise<ChatEvent | null>,
): AsyncGenerator<ChatEvent, boolean> {
  const stop = new AbortController();
  const begun = awaited.then(
    () => null,
    () => null,
  );
  void begun.then(() => stop.abort());
  while (!stop.signal.aborted) {
    const event = await Promise.race([begun, whileWaiting(stop.signal).catch(() => null)]);
    if (event === null) break;
    yield event;
  }
  const over = stop.signal.aborted;
  stop.abort();
  return over;
}

/** What an iterator gives after its first part was asked for. */
async function* resumed(
  first: Promise<IteratorResult<string>>,
  parts: AsyncIterator<string>,
): AsyncGenerator<string> {
  try {
    for (let part = await first; part.done !== true; part = await parts.next()) yield part.value;
  } finally {
    await parts.return?.();
  }
}

export function failed(fault: Fault): Ended {
  return { type: 'ended', outcome: 'failed', reason: null, fault };
}
