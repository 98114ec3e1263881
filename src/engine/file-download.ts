import path from 'node:path';
import type { Clock } from '../ports.js';
import { requestBytes, type BytesAnswer } from '../wire/bytes.js';
import { cancelledError, WireError, wireError } from '../wire/wire-error.js';
import type { FileSource, Reach } from './file-source.js';
import { otherStatus } from './hub.js';
import { checkRoom, PartFile, type PartOrigin } from './part-file.js';

export interface FileDownload {
  readonly source: FileSource;
  /** The finished file; `.part` beside it until then. */
  readonly target: string;
  readonly reach: Reach & { readonly clock: Pick<Clock, 'monotonic' | 'after'> };
  /** Waits between attempts that brought next to nothing, in ms; when they are used up it is given up. */
  readonly pausesMs: readonly number[];
  readonly freeBytes?: (folder: string) => Promise<number | null>;
  /** More room that will be needed on the same disk, for instance to unpack it. */
  readonly moreBytes?: number;
  /** Bytes that are there, and how many it will be. */
  readonly onProgress: (
    phase: 'preparing' | 'downloading' | 'verifying',
    bytes: number,
    totalBytes: number | null,
  ) => void;
}

/** Less than this between two breaks is no progress: a server that sends a byte and breaks off would be asked for ever. */
const PROGRESS_BYTES = 1024 * 1024;

/**
 * Fetches a file into `.part`, goes on where an earlier attempt stopped, and checks its size, its sha256 and its first bytes. The part
 * is left whole and open, for the caller to finish or discard. Throws WireError; what came is kept where it can be gone on with.
 */
export async function downloadPart(download: FileDownload): Promise<PartFile> {
  const { target, reach, onProgress } = download;
  const part = await PartFile.open(
    target,
    (bytes, total) => onProgress('preparing', bytes, total),
    reach.signal,
  ).catch((error: unknown) => {
    throw reach.signal.aborted ? cancelledError() : error;
  });
  try {
    await fetchAll(download, part);
    return part;
  } catch (error) {
    const lost = error instanceof WireError && DISCARDING.has(error.told?.id ?? '');
    if (lost) await part.discard();
    else await part.close();
    throw error;
  }
}

/** After these what came is of no use. */
const DISCARDING: ReadonlySet<string> = new Set(['wrong-length', 'wrong-digest', 'no-gguf']);

async function fetchAll(download: FileDownload, part: PartFile): Promise<void> {
  const { reach, pausesMs } = download;
  let failures = 0;
  let begunAnew = false;
  for (;;) {
    const before = part.length;
    try {
      await fetchOnce(download, part);
      return;
    } catch (error) {
      if (reach.signal.aborted) throw cancelledError();
      if (!(error instanceof WireError)) throw error;
      if (error.told?.id === 'wrong-digest' && before > 0 && !begunAnew) {
        // What lay here from before may be to blame.
        begunAnew = true;
        await part.restart();
        continue;
      }
      if (!isBreak(error)) throw error;
      // Nobody is reached, and nothing has come yet: another source may know better.
      if (part.length === 0 && error.fault.code === 'not-running') throw error;
      failures = part.length - before >= PROGRESS_BYTES ? 0 : failures + 1;
      const pause = pausesMs[failures - 1] ?? pausesMs[0];
      if (failures > pausesMs.length || pause === undefined) throw brokenOff(error, download.source);
      await pauseFor(pause, reach);
    }
  }
}

/** What a second attempt may mend. */
function isBreak({ fault, told }: WireError): boolean {
  if (DISCARDING.has(told?.id ?? '')) return false;
  if (fault.code === 'server-error') return (fault.status ?? 0) >= 500;
  return fault.code === 'broken' || fault.code === 'timeout' || fault.code === 'not-running';
}

function brokenOff(error: WireError, { url }: FileSource): WireError {
  if (error.told?.id !== 'cut' && error.told?.id !== 'closed') return error;
  return wireError('download-broken', { place: new URL(url).origin, words: '' }, { cause: error });
}

async function fetchOnce(download: FileDownload, part: PartFile): Promise<void> {
  const { source, reach } = download;
  const resumed = canGoOn(part, source) ? part.length : 0;
  if (part.length > 0 && resumed === 0) await part.restart();
  if (resumed > 0 && resumed === (source.sizeBytes ?? part.origin?.sizeBytes)) return check(download, part);
  const etag = part.origin?.etag ?? null;
  const range: Record<string, string> = resumed > 0 ? { range: `bytes=${resumed}-` } : {};
  if (resumed > 0 && etag !== null) range['if-range'] = etag;
  const answer = await requestBytes({
    url: source.url,
    headers: range,
    authorization: source.authorization,
    ...reach,
  });
  try {
    await take(download, part, answer);
  } finally {
    answer.close();
  }
}

/** What is there is a part of what is asked for, and there is a way to know at the end. */
function canGoOn({ length, origin }: PartFile, { url, sizeBytes, sha256 }: FileSource): boolean {
  if (length === 0 || origin === null) return false;
  if (sizeBytes !== null && length > sizeBytes) return false;
  if (sha256 !== null && origin.sha256 !== null) return sha256 === origin.sha256;
  return origin.url === bareUrl(url) && (origin.etag !== null || (origin.sha256 ?? sha256) !== null);
}

async function take(download: FileDownload, part: PartFile, answer: BytesAnswer): Promise<void> {
  const { source, onProgress } = download;
  const { status } = answer;
  if (status === 416) {
    // All of it is here, or it has become shorter.
    const total = Number(/\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1]);
    if (total === part.length && (source.sizeBytes ?? total) === total) return check(download, part);
    await part.restart();
    throw wireError('cut', {}, { status });
  }
  if (status !== 200 && status !== 206) throw refused(source, answer);
  const { from, total } = extentOf(answer);
  if (status === 206 && from !== part.length) {
    await part.restart();
    throw wireError('cut', {}, { status });
  }
  if (status === 200 && part.length > 0) await part.restart();
  refusePage(answer, source);
  const told = source.told(answer);
  const expected = source.sizeBytes ?? told.sizeBytes ?? total;
  if (expected !== null && total !== null && expected !== total)
    throw wireError('wrong-length', {
      place: answer.place,
      words: `${total} bytes where ${expected} were told`,
    });
  await part.keepOrigin(originOf(source, answer, expected, told.sha256));
  await checkRoom(
    path.dirname(download.target),
    (expected === null ? 0 : expected - part.length) + (download.moreBytes ?? 0),
    download.freeBytes,
  );
  onProgress('downloading', part.length, expected);
  for await (const bytes of answer.body) {
    if (expected !== null && part.length + bytes.length > expected)
      throw wireError('wrong-length', {
        place: answer.place,
        words: `more than the ${expected} bytes it told`,
      });
    const first = part.length === 0;
    await part.append(bytes);
    if (first) await refuseOther(part, source, answer);
    onProgress('downloading', part.length, expected);
  }
  if (expected !== null && part.length < expected) throw wireError('cut', {}, { status });
  await check(download, part);
}

function originOf(
  { url, sha256 }: FileSource,
  answer: BytesAnswer,
  sizeBytes: number | null,
  toldSha256: string | null,
): PartOrigin {
  const { etag } = answer.headers;
  const strong = etag !== undefined && /^"[^"]*"$/.test(etag) ? etag : null;
  return { url: bareUrl(url), etag: strong, sizeBytes, sha256: sha256 ?? toldSha256 };
}

async function check({ source, onProgress }: FileDownload, part: PartFile): Promise<void> {
  onProgress('verifying', part.length, part.length);
  const wanted = source.sha256 ?? part.origin?.sha256 ?? null;
  const place = bareUrl(source.url);
  if (wanted !== null && part.sha256() !== wanted) throw wireError('wrong-digest', { place });
  const head = Buffer.from(await part.head(source.magic.length)).toString('latin1');
  if (head !== source.magic) throw wireError('no-gguf', { place, words: 'something else' });
}

function refused(source: FileSource, { status, place, hops }: BytesAnswer): WireError {
  const values = { place, status: String(status) };
  // The store behind the hub has refusals of its own, a stale address for one.
  const own = hops.length === 0 ? source.refusal(status) : null;
  if (own !== null) return own;
  if (status === 404 || status === 410) return wireError('download-away', values, { status });
  if (status === 401 || status === 407) return wireError('download-key', values, { status });
  return otherStatus(status, place);
}

/** A sign-in of a hotel, an error with status 200: known before a byte is kept. */
function refusePage({ headers, place }: BytesAnswer, { magic }: FileSource): void {
  const type = (headers['content-type'] ?? '').toLowerCase();
  if (/^text\/html|^application\/xhtml/.test(type))
    throw wireError('no-gguf', { place, words: 'a web page' });
  if (/^application\/json/.test(type) && magic === 'GGUF')
    throw wireError('no-gguf', { place, words: 'a text' });
}

async function refuseOther(part: PartFile, { magic }: FileSource, { place }: BytesAnswer): Promise<void> {
  const head = Buffer.from(await part.head(magic.length)).toString('latin1');
  if (magic.startsWith(head)) return;
  const page = /^\s*</.test(head) ? 'a web page' : 'something else';
  throw wireError('no-gguf', { place, words: page });
}

/** What the answer says it is a part of. */
function extentOf({ status, headers }: BytesAnswer): {
  readonly from: number;
  readonly total: number | null;
} {
  if (status === 206) {
    const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '') ?? [];
    return {
      from: from === undefined ? -1 : Number(from),
      total: total === undefined || total === '*' ? null : Number(total),
    };
  }
  const length = headers['content-length'];
  return { from: 0, total: length === undefined ? null : Number(length) };
}

function pauseFor(ms: number, { clock, signal }: FileDownload['reach']): Promise<void> {
  return new Promise((resolve) => {
    // The timers of the clock do not keep the program running.
    const awake = setInterval(() => undefined, 60_000);
    const done = (): void => {
      clearInterval(awake);
      cancel();
      signal.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

/** Credentials and queries may be secret. */
function bareUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
