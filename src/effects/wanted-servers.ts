import type { BackendAddress } from '../backends/backend.js';
import type { ServerOrigin } from '../domain/model.js';
import { messageOf } from '../errors.js';
import { parseAddress } from '../wire/address.js';
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
const OLLAMA_PORT = 11434;

/** The servers that a flag, the configuration or the environment names. What is no address, or no key, is told and left out. */
export function wantedServers(options: BackendsOptions): readonly Wanted[] {
  const { ports, publish } = options;
  const all: Wanted[] = [];
  const add = (
    text: string,
    key: string | null,
    kind: string | null,
    atRank: number,
    from: string,
    port: number,
  ): void => {
    try {
      const address = parseAddress(text, port);
      if (all.some((w) => w.address.url === address.url)) return;
      all.push({ address: { url: address.url, key }, kind: kind ?? address.kind, rank: atRank });
    } catch (error) {
      publish({
        type: 'notice.raised',
        level: 'bad',
        text: `${from}: ${messageOf(error)}`,
        hint: 'An address looks like http://127.0.0.1:8080.',
      });
    }
  };
  options.urls.forEach((url, i) => add(url, null, null, RANK.url + i, '--url', 8080));
  options.configured.forEach((setting, i) => {
    let key: string | null = null;
    try {
      key = options.keyOf(setting);
    } catch (error) {
      publish({
        type: 'notice.raised',
        level: 'bad',
        text: `backends.${i}.key: ${messageOf(error)}`,
        hint: null,
      });
    }
    add(setting.url, key, setting.kind ?? null, RANK.configured + i, `backends.${i}.url`, 8080);
  });
  const ollamaHost = ports.env['OLLAMA_HOST']?.trim();
  if (ollamaHost) add(ollamaHost, null, 'ollama', RANK.environment, 'OLLAMA_HOST', OLLAMA_PORT);
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
