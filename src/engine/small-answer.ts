import { requestBytes, type BytesAnswer } from '../wire/bytes.js';
import { wireError } from '../wire/wire-error.js';
import type { Reach } from './file-source.js';

/** Lists of files of the largest repositories have some hundred kilobytes. */
const LIMIT_BYTES = 8 * 1024 * 1024;

/** A whole answer that is text. Throws WireError. */
export async function smallAnswer(
  url: string,
  headers: Readonly<Record<string, string>>,
  authorization: string | null,
  reach: Reach,
): Promise<{ readonly answer: BytesAnswer; readonly text: string }> {
  const answer = await requestBytes({ url, headers, authorization, ...reach });
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of answer.body) {
    parts.push(part);
    length += part.length;
    if (length > LIMIT_BYTES) throw wireError('too-long', {}, { status: answer.status });
  }
  return { answer, text: Buffer.concat(parts).toString('utf8') };
}
