import { EXIT, LmappError } from '../errors.js';

/** Where a server is. */
export interface Address {
  /** From `KIND+http://…`; null when it has to be found out. */
  readonly kind: string | null;
  /** Without credentials, without a trailing slash and without `/v1`, e.g. `http://127.0.0.1:11434`. */
  readonly url: string;
}

/**
 * Understands what people write as an address: `:8080`, `gpu-box`, `0.0.0.0`, `::1`, `https://h/prefix/v1`, `llama.cpp+http://h:1`.
 * Without a scheme it is http with `defaultPort`; with one, the port of the scheme (as OLLAMA_HOST does it). Throws LmappError; its
 * message never repeats credentials.
 */
export function parseAddress(text: string, defaultPort: number): Address {
  const trimmed = text
    .trim()
    .replace(/^(["'])(.*)\1$/s, '$2')
    .trim();
  if (trimmed === '') throw invalid('The address is empty.');
  if (/^ollama\.com\/?$/i.test(trimmed)) return { kind: null, url: 'https://ollama.com' };
  const match = /^(?:([a-z][a-z0-9.-]*)\+)?(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(trimmed);
  const kind = match?.[1]?.toLowerCase() ?? null;
  const scheme = match?.[2]?.toLowerCase() ?? null;
  const rest = match?.[3] ?? '';
  if (scheme !== null && scheme !== 'http' && scheme !== 'https') {
    throw invalid(`The address begins with ${scheme}://, not with http:// or https://.`);
  }
  const slash = rest.search(/[/?#]/);
  const authority = slash === -1 ? rest : rest.slice(0, slash);
  if (authority.includes('@')) {
    throw invalid(
      'An address with a user or a password is not accepted.',
      'Give the secret as the key of the server.',
    );
  }
  const { host, port } = splitAuthority(authority);
  const url = toUrl(scheme ?? 'http', reachableHost(host), port ?? (scheme === null ? defaultPort : null));
  const path = slash === -1 ? '' : rest.slice(slash).replace(/[?#].*$/s, '');
  return { kind, url: url.origin + prefixOf(path) };
}

/** The identity of a server over runs: `kind@host:port/prefix`. */
export function backendId(kind: string, url: string): string {
  const parsed = new URL(url);
  const port = parsed.port === '' ? (parsed.protocol === 'https:' ? '443' : '80') : parsed.port;
  return `${kind}@${parsed.hostname}:${port}${prefixOf(parsed.pathname)}`;
}

/** True for a server on the public net: its models run on somebody else's machine. */
export function isPublic(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  const ownNet =
    /^(127|10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\.|^\[|\.(local|lan|home|internal|localhost)$/i;
  return protocol === 'https:' && hostname.includes('.') && !ownNet.test(hostname);
}

/** Everything before `/v1`; paths of native interfaces begin there too. */
function prefixOf(path: string): string {
  return path.replace(/\/+$/, '').replace(/\/v1$/, '').replace(/\/+$/, '');
}

function splitAuthority(authority: string): { host: string; port: number | null } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(authority);
  if (bracketed !== null) return { host: `[${bracketed[1] ?? ''}]`, port: portOf(bracketed[2]) };
  // More than one colon and no brackets: an IPv6 address as a whole.
  if ((authority.match(/:/g) ?? []).length > 1) return { host: `[${authority}]`, port: null };
  const colon = authority.indexOf(':');
  if (colon === -1) return { host: authority, port: null };
  return { host: authority.slice(0, colon), port: portOf(authority.slice(colon + 1)) };
}

function portOf(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw invalid('The port of the address is not a number from 1 to 65535.');
  return port;
}

/** "All interfaces" is an address to listen at, not to connect to (Windows refuses it). */
function reachableHost(host: string): string {
  if (host === '' || host === '0.0.0.0' || host === '*') return '127.0.0.1';
  if (host === '[::]' || host === '[0:0:0:0:0:0:0:0]') return '[::1]';
  return host;
}

function toUrl(scheme: string, host: string, port: number | null): URL {
  const text = `${scheme}://${host}${port === null ? '' : `:${port}`}`;
  // Classes of Unicode take a while to be made ready, and the dashboard checks its addresses before its first frame.
  const usual = /^[\w.-]+$/.test(host) || /^[\p{L}\p{N}.\-_[\]:%]+$/u.test(host);
  if (!usual || !URL.canParse(text)) throw invalid('The host of the address is not valid.');
  return new URL(text);
}

function invalid(
  message: string,
  hint = 'Examples: http://127.0.0.1:11434, gpu-box, :8080, llama.cpp+http://127.0.0.1:8080',
): LmappError {
  return new LmappError('address.invalid', message, { hint, exitCode: EXIT.usage });
}
