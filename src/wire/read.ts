import type { Wire, WireAnswer, WireRequest } from './http.js';
import { answerWithoutKey } from './hidden-key.js';
import { wireError } from './wire-error.js';

/** A whole answer. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: WireAnswer['headers'];
  readonly text: string;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: unknown;
}

/** Details of a model with its tensors may have several megabytes; a list has some hundred kilobytes. */
const BODY_LIMIT_CHARS = 16 * 1024 * 1024;

/**
 * Sends a request and reads the whole answer, whatever its status. A body that is the same as that of `before` is not parsed again: its
 * `json` is the very same object, so that whatever was made of it can be kept too. Throws WireError.
 */
export async function fetchWhole(
  wire: Wire,
  request: WireRequest,
  before: WholeAnswer | null = null,
): Promise<WholeAnswer> {
  const answer = await wire.request(request);
  const text = answerWithoutKey(await readText(answer, BODY_LIMIT_CHARS), request.key);
  const json = before !== null && before.text === text ? before.json : parseJson(text);
  return { status: answer.status, headers: answer.headers, text, json };
}

/** Reads a body; throws WireError when it is longer than the limit. */
export async function readText(answer: WireAnswer, limitChars: number): Promise<string> {
  const parts: string[] = [];
  let length = 0;
  for await (const part of answer.body) {
    parts.push(part);
    length += part.length;
    if (length > limitChars) {
      answer.close();
      throw wireError('too-long', {}, { status: answer.status });
    }
  }
  return parts.join('');
}

/** Undefined when the text is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
