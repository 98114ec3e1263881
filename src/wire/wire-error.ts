import type { Fault, FaultCode } from '../domain/fault.js';
import { messageOf } from '../errors.js';

/** A request that failed on its way. `cancelled` is true when the caller's own signal ended it. */
export class WireError extends Error {
  readonly fault: Fault;
  readonly cancelled: boolean;

  constructor(fault: Fault, options: { readonly cancelled?: boolean; readonly cause?: unknown } = {}) {
    super(fault.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WireError';
    this.fault = fault;
    this.cancelled = options.cancelled ?? false;
  }
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

const UNREACHABLE = new Map([
  ['ECONNREFUSED', 'Nothing listens at'],
  ['EHOSTUNREACH', 'There is no route to'],
  ['ENETUNREACH', 'There is no route to'],
  ['EHOSTDOWN', 'The machine is down:'],
  ['EADDRNOTAVAIL', 'There is no route to'],
]);

/**
 * Turns what node:http, node:net and node:tls throw into a fault. `place` is the origin, without credentials; `begun` tells whether a
 * byte of the answer had arrived.
 */
export function wireErrorFrom(error: unknown, place: string, begun: boolean): WireError {
  if (error instanceof WireError) return error;
  const code = codeOf(error);
  return new WireError(faultFrom(code, error, place, begun), { cause: error });
}

function faultFrom(code: string, error: unknown, place: string, begun: boolean): Fault {
  const unreachable = UNREACHABLE.get(code);
  if (unreachable !== undefined)
    return fault('not-running', `${unreachable} ${place}.`, 'Start the server or check the address.');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return fault(
      'not-running',
      `The host name of ${place} is not known.`,
      'Check the spelling of the address.',
    );
  }
  if (code === 'ETIMEDOUT')
    return fault('not-running', `No connection to ${place} in time.`, 'Check the address and the network.');
  if (CERTIFICATE_CODES.has(code)) {
    return fault(
      'not-a-server',
      `The certificate of ${place} is not trusted (${code}).`,
      'To accept it, name its authority in the variable NODE_EXTRA_CA_CERTS.',
    );
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    return fault(
      'not-a-server',
      `${place} does not speak TLS.`,
      'Try the address with http:// instead of https://.',
    );
  }
  if (code.startsWith('HPE_')) return parserFault(code, error, place, begun);
  if (begun) return fault('broken', 'The connection was closed by the server in the middle of the answer.');
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED') {
    return fault('broken', `${place} closed the connection without an answer.`);
  }
  return fault('broken', `The connection to ${place} failed: ${code === '' ? messageOf(error) : code}.`);
}

/** The HTTP parser gave up: no HTTP at all, or TLS on a plain port, or garbage in the middle of a good answer. */
function parserFault(code: string, error: unknown, place: string, begun: boolean): Fault {
  if (begun) return fault('broken', `The answer of ${place} is damaged (${code}).`);
  const packet = error !== null && typeof error === 'object' && 'rawPacket' in error ? error.rawPacket : null;
  // 0x15 is a TLS alert record: the answer of a TLS server to a plain request.
  if (packet instanceof Uint8Array && packet[0] === 0x15) {
    return fault('not-a-server', `${place} speaks TLS.`, 'Try the address with https:// instead of http://.');
  }
  return fault('not-a-server', `There is no HTTP server at ${place}.`, 'Check the port of the address.');
}

function codeOf(error: unknown): string {
  if (error === null || typeof error !== 'object') return '';
  // With two addresses per name (localhost) Node throws an AggregateError; its first error tells the reason.
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0 && !('code' in error)) {
    return codeOf(error.errors[0]);
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
