/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

/** Removes secrets from what is written to a log; never throws, never changes its argument. */
export interface Redactor {
  text(text: string): string;
  /** A copy that is plain and finite: errors become objects, cycles and depths beyond a limit are cut. */
  value(value: unknown): unknown;
  /** Hides this text wherever it occurs; for keys that the configuration or the environment names. */
  add(secret: string): void;
}

/** Names of fields whose texts are secret. `tokens`, `modelKey` and the like are none. */
const SECRET_FIELD =
  /^(?:(?:proxy|x|www)[-_]?)*(?:authorization|authenticate|cookie|set[-_]?cookie|key|api[-_]?key|access[-_]?key|private[-_]?key|(?:auth|access|refresh|bearer|id|api|hf)?[-_]?token|bearer|pass|password|passwd|passphrase|secret|client[-_]?secret|credentials?)$/i;

/** A secret that is shorter than this would hide ordinary words. */
const SHORTEST_SECRET = 6;
const MOST_DEPTH = 8;
const MOST_ENTRIES = 200;
const MOST_TEXT = 16_384;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // The scheme in a header or a curl line.
  [/\b(bearer)(\s+|%20)[\w.~+/=-]{6,}/gi, `$1$2${REDACTED}`],
  // Lower-case letters alone are a word of a sentence.
  [/\b([Bb]asic|BASIC)\s+(?=[a-z]*[A-Z\d+/=])[\w+/=]{6,}/g, `$1 ${REDACTED}`],
  [/\b(?:sk|pk|rk|gsk|hf|ghp|gho|glpat|xai|nvapi|AIza)[-_][\w-]{8,}/g, REDACTED],
  [/\bAIza[\w-]{20,}/g, REDACTED],
  // A JSON web token.
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REDACTED],
  // user:password@ of an address, and a user alone, which is a token for some servers.
  [/(\b[a-z][a-z\d+.-]{1,20}:\/\/)[^\s/@"'<>]+@/gi, `$1${REDACTED}@`],
  // name=value and "name": "value"; a number is no secret ("token: 5").
  [
    /\b((?:[\w-]{0,40}[-_])?(?:authorization|api[-_]?key|access[-_]?key|access[-_]?token|auth[-_]?token|token|password|passwd|secret)\b["']?\s{0,3}[:=]\s{0,3})(?!["']?(?:[\d.]+\b|null\b|true\b|false\b|\[redacted|bearer\b|basic\b))("[^"]{1,400}"|'[^']{1,400}'|[^\s&"',;)}\]]{1,400})/gi,
    `$1${REDACTED}`,
  ],
];
/** One cheap look decides that a line holds nothing like a secret: most lines do not. */
const SUSPICIOUS =
  /bearer|basic|[-_]key|apikey|accesskey|token|passw|secret|authorization|:\/\/[^\s/]*@|\b(?:sk|pk|rk|gsk|hf|ghp|gho|glpat|xai|nvapi)[-_]|AIza|eyJ/i;

/** Makes a redactor that also hides the given texts. */
export function createRedactor(secrets: readonly string[] = []): Redactor {
  let known: string[] = [];
  const redactor: Redactor = {
    text(text) {
      let out =
        text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}… (${text.length - MOST_TEXT} more)` : text;
      for (const secret of known) if (out.includes(secret)) out = out.replaceAll(secret, REDACTED);
      if (!SUSPICIOUS.test(out)) return out;
      for (const [pattern, replacement] of PATTERNS) out = out.replace(pattern, replacement);
      return out;
    },
    value: (value) => plain(value, redactor, 0, new Set()),
    add(secret) {
      if (secret.length < SHORTEST_SECRET || known.includes(secret)) return;
      // The longest first: one may be the beginning of another.
      known = [...known, secret].sort((a, b) => b.length - a.length);
    },
  };
  for (const secret of secrets) redactor.add(secret);
  return redactor;
}

/** An error as fields, with its cause. */
export interface ErrorRecord {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  readonly hint?: string;
  readonly cause?: unknown;
}

function plain(value: unknown, redactor: Redactor, depth: number, above: Set<object>): unknown {
  switch (typeof value) {
    case 'string':
      return redactor.text(value);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return `[function ${value.name}]`;
  }
  if (typeof value !== 'object' || value === null) return null;
  if (above.has(value)) return '[circular]';
  if (depth >= MOST_DEPTH) return '[deeper]';
  above.add(value);
  try {
    return plainObject(value, redactor, depth, above);
  } catch {
    // A getter or a proxy that throws must not end the program.
    return '[unreadable]';
  } finally {
    above.delete(value);
  }
}

function plainObject(value: object, redactor: Redactor, depth: number, above: Set<object>): unknown {
  if (value instanceof Error) return plainError(value, redactor, depth, above);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof URL) return redactor.text(value.href);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof Map) return plain(Object.fromEntries(value), redactor, depth, above);
  if (value instanceof Set) return plain([...value], redactor, depth, above);
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ENTRIES).map((item) => plain(item, redactor, depth + 1, above));
    if (value.length > MOST_ENTRIES) items.push(`… ${value.length - MOST_ENTRIES} more`);
    return items;
  }
  const out: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value).slice(0, MOST_ENTRIES))
    out[name] =
      SECRET_FIELD.test(name) && (typeof field === 'string' || Array.isArray(field))
        ? REDACTED
        : plain(field, redactor, depth + 1, above);
  return out;
}

function plainError(error: Error, redactor: Redactor, depth: number, above: Set<object>): ErrorRecord {
  const extra = error as Error & { code?: unknown; hint?: unknown; errors?: unknown };
  return {
    name: error.name,
    message: redactor.text(error.message),
    ...(typeof error.stack === 'string' && { stack: redactor.text(error.stack) }),
    ...((typeof extra.code === 'string' || typeof extra.code === 'number') && { code: extra.code }),
    ...(typeof extra.hint === 'string' && { hint: redactor.text(extra.hint) }),
    ...(error.cause !== undefined && { cause: plain(error.cause, redactor, depth + 1, above) }),
    ...(Array.isArray(extra.errors) && { errors: plain(extra.errors, redactor, depth + 1, above) }),
  };
}
