import type { BackendAddress } from '../backends/backend.js';
import { isAt, typedAddress } from '../backends/typed-address.js';
import type { ServerOrigin } from '../domain/model.js';
import { LmappError, messageOf } from '../errors.js';
import type { Address } from '../wire/address.js';
import type { BackendsOptions } from './backends-options.js';

export interface Wanted {
  readonly address: BackendAddress;
  readonly kind: string | null;
  readonly rank: number;
}

/** The order of the tree, by where a server comes from. */
export const RANK = {
  url: 0,
  configured: 100,
  environment: 200,
  found: 300,
  installed: 400,
  embedded: 800,
  mock: 900,
} as const;

/** The servers that a flag, the configuration or the environment names. What is no address, kind or key, is told and left out. */
export function wantedServers(options: BackendsOptions): readonly Wanted[] {
  const { ports, publish } = options;
  const all: Wanted[] = [];
  const add = (text: string, key: string | null, kind: string | null, atRank: number, from: string): void => {
    try {
      const address = typedAddress(text, kind);
      if (all.some((w) => w.address.url === address.url)) return;
      all.push({ address: { url: address.url, key }, kind: address.kind, rank: atRank });
    } catch (error) {
      publish({
        type: 'notice.raised',
        level: 'bad',
        text: `${from}: ${messageOf(error)}`,
        hint: hintOf(error),
      });
    }
  };
  const keyAt = (i: number): string | null => {
    const setting = options.configured[i];
    try {
      return setting ? options.keyOf(setting) : null;
    } catch (error) {
      publish({
        type: 'notice.raised',
        level: 'bad',
        text: `configuration: backends[${i}]: ${messageOf(error)}`,
        hint: hintOf(error),
      });
      return null;
    }
  };
  options.urls.forEach((url, i) => {
    // One that stands in the configuration is that one, wherever it is named.
    const typed = addressOf(url);
    const known = options.configured.findIndex((setting) => typed !== null && isAt(setting, typed.url));
    const kind = typed?.kind ?? options.configured[known]?.kind ?? null;
    add(url, keyAt(known), kind, RANK.url + i, '--url');
  });
  options.configured.forEach((setting, i) => {
    if (all.some(({ address }) => isAt(setting, address.url))) return;
    add(setting.url, keyAt(i), setting.kind ?? null, RANK.configured + i, `configuration: backends[${i}]`);
  });
  const ollamaHost = ports.env['OLLAMA_HOST']?.trim();
  if (ollamaHost) add(ollamaHost, null, 'ollama', RANK.environment, 'OLLAMA_HOST');
  return all;
}

export function originOf(rank: number): ServerOrigin {
  if (rank < RANK.configured) return 'run';
  if (rank < RANK.environment) return 'configuration';
  if (rank < RANK.found) return 'environment';
  if (rank < RANK.installed) return 'found';
  if (rank < RANK.embedded) return 'installed';
  return rank < RANK.mock ? 'embedded' : 'mock';
}

function addressOf(text: string): Address | null {
  try {
    return typedAddress(text);
  } catch {
    return null;
  }
}

function hintOf(error: unknown): string | null {
  return error instanceof LmappError ? error.hint : null;
}
