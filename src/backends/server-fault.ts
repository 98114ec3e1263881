import type { Fault, FaultCode } from '../domain/fault.js';
import { faultFor, type FaultId, type FaultValues } from '../domain/fault-table.js';
import { isLoopback } from '../domain/fit.js';
import { withoutKey } from '../wire/hidden-key.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { errorTextOfBody, sentence, shorten, type ErrorText } from './error-text.js';
import { asSize } from './json.js';

/** What the answer of a server was about, for a hint that fits. */
export interface FaultPlace {
  readonly kind: string;
  readonly title: string;
  /** How to start the server, e.g. `ollama serve`. */
  readonly startCommand: string;
  /** Where its log is, as a part of a sentence. */
  readonly logPlace?: string;
  /** Base address, for hints. */
  readonly url?: string;
  /** The key that was sent: it is taken out of the server's words. */
  readonly secret?: string | null;
  /** The model that was asked; null when it was not about a model. */
  readonly model: string | null;
  /** The last word of this kind of server: its own next step, and answers that mean something else than they say. */
  readonly refine?: (fault: Fault, told: ErrorText) => Fault;
}

const RETRY_DEFAULT_MS = 5000;
const RETRY_LIMIT_MS = 60_000;

const CONTEXT =
  /exceeds? the available context|maximum context length|context length is only|out_of_context|context_length_exceeded|exceed_context_size|contextwindowexceeded|prompt is too long|input length exceeds/i;
const MEMORY =
  /out of memory|cudamalloc failed|failed to allocate|not enough memory|insufficient memory|unable to allocate|insufficient system resources|requires more system memory|more system memory/i;
const MODEL = /model.{0,300}?(?:not found|does not exist|is not found)|no models loaded|invalid model name/is;
const UNSUPPORTED = /does not support|not supported|this server does not support/i;

/** The fault of an answer with an error status. `text` is its body. */
export function faultOfAnswer(
  status: number,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  text: string,
  place: FaultPlace,
  now: number,
): Fault {
  const found = errorTextOfBody(text);
  const fault = faultOfText(found, status, place);
  // What is no matter of time is not better after a wait.
  if ((status !== 429 && status !== 503) || (fault.code !== 'busy' && fault.code !== 'loading')) return fault;
  return { ...fault, retryAfterMs: retryAfter(headers, now) };
}

/** The fault of an error that a server told, in a body or in the middle of a stream (status 200). */
export function faultOfText(found: ErrorText, status: number, place: FaultPlace): Fault {
  const code = classify(found, status);
  const words = shorten(withoutKey(found.message, place.secret));
  const figures = {
    ...(found.promptTokens === null ? {} : { promptTokens: found.promptTokens }),
    ...(found.contextTokens === null ? {} : { contextTokens: found.contextTokens }),
  };
  const fault = {
    ...faultFor(entryOf(code, words, found, place), valuesOf(words, found, status, place)),
    status: status === 200 ? null : status,
    ...figures,
    ...(found.loadProgress === null ? {} : { loadProgress: found.loadProgress }),
    ...(code === 'context-full' ? contextFigures(words, figures) : {}),
  };
  return place.refine?.(fault, found) ?? fault;
}

function classify(found: ErrorText, status: number): FaultCode {
  const all = `${found.type} ${found.code} ${found.message}`;
  if (CONTEXT.test(all)) return 'context-full';
  if (
    found.signInUrl !== null ||
    status === 401 ||
    /authentication_error|auth_error|no_db_connection/.test(all)
  )
    return 'unauthorized';
  if (status === 403) return 'forbidden';
  if (MEMORY.test(all)) return 'out-of-memory';
  if (status === 503 && /loading model|model_loading|unavailable_error/i.test(all)) return 'loading';
  if (/model_not_found/.test(all) || (MODEL.test(found.message) && status >= 400 && status < 500))
    return 'unknown-model';
  if (status === 429 || /rate_limit|maximum pending requests|server busy/i.test(all) || status === 503)
    return 'busy';
  if (status === 501 || UNSUPPORTED.test(all)) return 'unsupported';
  if (status === 404 || status === 405) return 'unknown-endpoint';
  return 'server-error';
}

/** Which entry of the table says it: some have other words for a server that told no reason. */
function entryOf(code: FaultCode, words: string, found: ErrorText, { model }: FaultPlace): FaultId {
  switch (code) {
    case 'unauthorized':
      return found.signInUrl === null ? 'key' : 'sign-in';
    case 'forbidden':
      return words === '' ? 'host-refused' : 'forbidden';
    case 'unknown-model':
      return model === null ? 'unknown-model-told' : 'unknown-model';
    case 'busy':
      return /pending requests/i.test(words) ? 'queue-full' : 'busy';
    case 'server-error':
      return words === '' ? 'server-error-silent' : 'server-error';
    case 'context-full':
    case 'out-of-memory':
    case 'loading':
    case 'unsupported':
    case 'unknown-endpoint':
      return code;
    default:
      return 'server-error';
  }
}

function valuesOf(words: string, found: ErrorText, status: number, place: FaultPlace): FaultValues {
  const told = words === '' ? `${place.title} answered with status ${status}.` : sentence(words);
  return {
    ...valuesOfPlace(place),
    status: String(status),
    words: found.signInUrl === null ? told : sanitizeLine(found.signInUrl),
  };
}

/** What the table of faults is filled in with for one server. */
export function valuesOfPlace(
  place: Omit<FaultPlace, 'model'> & { readonly model?: string | null },
): FaultValues {
  const { kind, title, startCommand, logPlace, model, url } = place;
  return {
    kind,
    title,
    start: startCommand,
    ...(url === undefined ? {} : { place: url }),
    ...(logPlace === undefined ? {} : { log: logOf(logPlace, url) }),
    ...(model === undefined || model === null ? {} : { model: sanitizeLine(model) }),
  };
}

const SYSTEMS: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  linux: 'Linux',
  darwin: 'macOS',
  win32: 'Windows',
};

/** Without marks of code; of a list by systems (`A on Linux, B on macOS`) the one of this machine, when the server runs on it. */
function logOf(logPlace: string, url: string | undefined): string {
  const text = logPlace.replace(/`/g, '');
  const here = SYSTEMS[process.platform];
  if (here === undefined || url === undefined || !isLoopback(url)) return text;
  return new RegExp(`(?:^|, )([^,]+) on ${here}(?:,|$)`).exec(text)?.[1] ?? text;
}

/**
 * Figures that only the text holds: "request (9000 tokens) exceeds … (4096 tokens)", "maximum context length is 4096 tokens. However, you
 * requested 9000 tokens (8000 in the messages, …)", "You passed 9000 input tokens … context length is only 4096 tokens".
 */
function contextFigures(
  words: string,
  known: { promptTokens?: number; contextTokens?: number },
): { promptTokens?: number; contextTokens?: number } {
  const pair = /\((\d+) tokens\).*?\((\d+) tokens\)/.exec(words);
  const context =
    known.contextTokens ??
    numberOf(pair?.[2] ?? /context length (?:is|of)(?: only)? (\d+)/i.exec(words)?.[1]);
  const prompt =
    known.promptTokens ??
    numberOf(
      pair?.[1] ??
        (/(?:passed|contains|has)(?: about| at least)? (\d+) (?:input )?tokens/i.exec(words) ??
          /\((\d+) in the messages/i.exec(words) ??
          /(?:requested|resulted in)(?: about| at least)? (\d+) (?:input )?tokens/i.exec(words))?.[1],
    );
  return {
    ...(prompt === null ? {} : { promptTokens: prompt }),
    ...(context === null ? {} : { contextTokens: context }),
  };
}

function numberOf(text: string | undefined): number | null {
  return text === undefined ? null : asSize(Number(text));
}

/** `retry-after-ms` goes first; unreadable values count as five seconds, and nothing waits longer than a minute. */
function retryAfter(headers: Readonly<Record<string, string | string[] | undefined>>, now: number): number {
  const inMs = Number(headers['retry-after-ms'] ?? NaN);
  if (Number.isFinite(inMs) && inMs >= 0) return Math.min(inMs, RETRY_LIMIT_MS);
  const raw = String(headers['retry-after'] ?? '').trim();
  const waitMs = /^\d+(\.\d+)?$/.test(raw) ? Number(raw) * 1000 : Date.parse(raw) - now;
  if (
    !/\d/.test(raw) ||
    !Number.isFinite(waitMs) ||
    waitMs < 0 ||
    raw.startsWith('-') ||
    waitMs > 24 * 3600_000
  )
    return RETRY_DEFAULT_MS;
  return Math.min(waitMs, RETRY_LIMIT_MS);
}
