import type { Fault, FaultCode } from '../domain/fault.js';
import { faultFor, type FaultId, type FaultValues } from '../domain/fault-table.js';
import { messageOf } from '../errors.js';

/** A request that failed on its way. `cancelled` is true when the caller's own signal ended it. */
export class WireError extends Error {
  readonly fault: Fault;
  readonly cancelled: boolean;
  /** The entry of the table, for whoever knows more of the server than its address. */
  readonly told: { readonly id: FaultId; readonly values: FaultValues } | null;

  constructor(
    fault: Fault,
    options: {
      readonly cancelled?: boolean;
      readonly cause?: unknown;
      readonly told?: WireError['told'];
    } = {},
  ) {
    super(fault.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WireError';
    this.fault = fault;
    this.cancelled = options.cancelled ?? false;
    this.told = options.told ?? null;
  }
}

/** The error of an entry of the table. */
export function wireError(
  id: FaultId,
  values: FaultValues = {},
  { status = null, cause }: { readonly status?: number | null; readonly cause?: unknown } = {},
): WireError {
  return new WireError(faultFor(id, values, status), { cause, told: { id, values } });
}

/** A fault without figures. */
export function fault(
  code: FaultCode,
  message: string,
  hint: string | null = null,
  status: number | null = null,
): Fault {
  return { code, message, hint, status };
}

/** The caller's signal ended the request. */
export function cancelledError(): WireError {
  return new WireError(fault('broken', 'The request was cancelled.'), { cancelled: true });
}

const CERTIFICATE_CODES = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

const NO_ROUTE = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'EADDRNOTAVAIL']);

/**
 * Turns what node:http, node:net and node:tls throw into a fault. `place` is the origin, without credentials; `begun` tells whether a
 * byte of the answer had arrived.
 */
export function wireErrorFrom(error: unknown, place: string, begun: boolean): WireError {
  if (error instanceof WireError) return error;
  const code = codeOf(error);
  const words = code === '' ? messageOf(error) : code;
  return wireError(idOf(code, error, begun), { place, words }, { cause: error });
}

function idOf(code: string, error: unknown, begun: boolean): FaultId {
  if (code === 'ECONNREFUSED') return 'refused';
  if (NO_ROUTE.has(code)) return 'no-route';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'unknown-host';
  if (code === 'ETIMEDOUT') return 'no-connection';
  if (CERTIFICATE_CODES.has(code)) return 'untrusted';
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) return 'no-tls';
  // The only header that is not our own text is the one with the key.
  if (code === 'ERR_INVALID_CHAR') return 'key-characters';
  if (code.startsWith('HPE_')) return begun ? 'damaged' : parserFault(error);
  if (begun) return 'cut';
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') return 'closed';
  return 'not-connected';
}

/** The HTTP parser gave up at once: no HTTP at all, or TLS on a plain port. */
function parserFault(error: unknown): FaultId {
  const packet = error !== null && typeof error === 'object' && 'rawPacket' in error ? error.rawPacket : null;
  // 0x15 is a TLS alert record: the answer of a TLS server to a plain request.
  return packet instanceof Uint8Array && packet[0] === 0x15 ? 'is-tls' : 'no-http';
}

function codeOf(error: unknown): string {
  if (error === null || typeof error !== 'object') return '';
  // With two addresses per name (localhost) Node throws an AggregateError; its first error tells the reason.
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0 && !('code' in error)) {
    return codeOf(error.errors[0]);
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
