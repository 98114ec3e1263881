import { parseJson } from '../wire/read.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { asArray, asCount, asObject, asSize, asText, field } from './json.js';

/** A server's own words. */
export interface ErrorText {
  readonly message: string;
  readonly type: string;
  readonly code: string;
  readonly promptTokens: number | null;
  readonly contextTokens: number | null;
  /** Ollama cloud: where to sign in. */
  readonly signInUrl: string | null;
  /** LocalAI: how far the load is that the request waits for, 0..1. */
  readonly loadProgress: number | null;
}

const MESSAGE_LIMIT_CHARS = 500;
const NO_DETAILS = {
  type: '',
  code: '',
  promptTokens: null,
  contextTokens: null,
  signInUrl: null,
  loadProgress: null,
};

/** The error in a parsed body; null when the body holds none. */
export function errorTextOf(body: unknown): ErrorText | null {
  return extract(body, 0);
}

function extract(body: unknown, depth: number): ErrorText | null {
  const object = asObject(body);
  if (object === null || depth > 3) return null;
  const error = field(object, 'error');
  if (typeof error === 'string') {
    // Ollama passes on the JSON text of its runner.
    const nested = error.trimStart().startsWith('{') ? extract(parseJson(error), depth + 1) : null;
    return nested ?? { ...NO_DETAILS, message: error, signInUrl: asText(field(object, 'signin_url')) };
  }
  const inner = asObject(error);
  if (inner !== null) {
    const found = extract(inner, depth + 1) ?? detailsOf(inner, '');
    const percent = asCount(field(asObject(field(object, 'loading')), 'progress'));
    return percent === null ? found : { ...found, loadProgress: Math.min(percent / 100, 1) };
  }
  const message = asText(field(object, 'message')) ?? detailText(field(object, 'detail'));
  return message === null ? null : detailsOf(object, message);
}

/** The error of a body that may be anything: JSON with an error, a text, a web page, a traceback. */
export function errorTextOfBody(text: string): ErrorText {
  return errorTextOf(parseJson(text)) ?? { ...NO_DETAILS, message: plainText(text) };
}

function detailsOf(object: Readonly<Record<string, unknown>>, message: string): ErrorText {
  const code = field(object, 'code');
  return {
    message,
    type: asText(field(object, 'type')) ?? '',
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : '',
    promptTokens: asSize(field(object, 'n_prompt_tokens')),
    contextTokens: asSize(field(object, 'n_ctx')),
    signInUrl: null,
    loadProgress: null,
  };
}

/** FastAPI: a text, or a list of `{loc, msg}`. */
function detailText(detail: unknown): string | null {
  if (typeof detail === 'string') return asText(detail);
  const parts = asArray(detail).map((item) => {
    const object = asObject(item);
    const place = asArray(field(object, 'loc')).join('.');
    const message = asText(field(object, 'msg')) ?? '';
    return place === '' ? message : `${message} (${place})`;
  });
  return asText(parts.filter((part) => part !== '').join('; '));
}

/** The first line of a text or HTML body that says something. Of a traceback that is its last line. */
function plainText(text: string): string {
  const markup = /<[a-z!/]/i.test(text.slice(0, 1000));
  const head = text.slice(0, 200_000);
  const plain = markup
    ? head.replace(/<(script|style|head)\b[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, '\n')
    : head;
  const lines = plain
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return (lines[0]?.startsWith('Traceback') === true ? lines.at(-1) : lines[0]) ?? '';
}

/** One clean line, without anything that looks like a key. */
export function shorten(message: string): string {
  const line = sanitizeLine(withoutTraceback(message).slice(0, 4 * MESSAGE_LIMIT_CHARS))
    .trim()
    .replace(/\b(sk|hf|gsk)[-_](?:[\w-]{8,}|\.{2,}[\w-]+)/g, '$1-…')
    .replace(/(hash[^=:]{0,20}[=:]\s*)[0-9a-f]{16,}/gi, '$1…')
    .replace(/(bearer\s+)[\w.~+/=-]{8,}/gi, '$1…');
  return line.length > MESSAGE_LIMIT_CHARS ? `${line.slice(0, MESSAGE_LIMIT_CHARS - 1)}…` : line;
}

/** What stands before a Python traceback; when nothing does, the error at its end. */
function withoutTraceback(message: string): string {
  const at = message.search(/^\s*Traceback \(most recent call last\)/m);
  if (at === -1) return message;
  const before = message.slice(0, at).trim();
  return before !== ''
    ? before
    : (message
        .trim()
        .split(/[\r\n]+/)
        .at(-1) ?? '');
}

/** A server's own words as one clean sentence. */
export function sentenceOf(message: string): string {
  return sentence(shorten(message));
}

/** Ends with a stop. */
export function sentence(words: string): string {
  return /[.!?…]$/.test(words) ? words : `${words}.`;
}
