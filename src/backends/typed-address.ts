import type { BackendSetting } from '../domain/settings.js';
import { EXIT, LmappError } from '../errors.js';
import { type Address, parseAddress } from '../wire/address.js';
import { backendTypes } from './registry.js';

const DEFAULT_PORT = 8080;
const OLLAMA_PORT = 11434;

/**
 * Where an address leads that somebody typed, and the kind that was told with it (`KIND+http://…`, or `kind`). Errors: LmappError for
 * one that is none, and for a kind that nobody knows.
 */
export function typedAddress(text: string, kind: string | null = null): Address {
  const ollama = kind === 'ollama' || /^\s*ollama\+/i.test(text);
  const address = parseAddress(text, ollama ? OLLAMA_PORT : DEFAULT_PORT);
  const known = kind ?? address.kind;
  // What answers at no address cannot be named by one.
  const kinds = backendTypes.filter((type) => type.recognises);
  if (known === null || kinds.some((type) => type.kind === known)) return { ...address, kind: known };
  throw new LmappError('backend.kind', `${known} is not a known kind of server`, {
    hint: `Known are ${kinds.map((type) => type.kind).join(', ')}.`,
    exitCode: EXIT.usage,
  });
}

/** Whether an entry of the configuration stands for an address, however it is written there. */
export function isAt({ url, kind }: BackendSetting, address: string): boolean {
  try {
    const ollama = kind === 'ollama' || /^\s*ollama\+/i.test(url);
    return parseAddress(url, ollama ? OLLAMA_PORT : DEFAULT_PORT).url === address;
  } catch {
    return false;
  }
}
