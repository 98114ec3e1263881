import { changeServers } from '../config/edit.js';
import type { BackendSetting } from '../domain/settings.js';
import { LmappError, messageOf } from '../errors.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Effect } from '../state/effect.js';
import { parseAddress } from '../wire/address.js';
import type { Backends } from './backends.js';

export interface ServerEffectOptions {
  /** The configuration. */
  readonly file: string;
  readonly backends: Backends;
  readonly publish: (event: AppEvent) => void;
  /** The address of a server in the list. */
  readonly urlOf: (backendId: string) => string | null;
}

type Wanted<T extends Effect['type']> = Extract<Effect, { readonly type: T }>;

export interface ServerEffects {
  remove(effect: Wanted<'server.remove'>): void;
}

/** Servers that the user adds and removes while the dashboard runs. */
export function createServerEffects({ file, backends, publish, urlOf }: ServerEffectOptions): ServerEffects {
  return {
    remove({ backendId }) {
      const url = urlOf(backendId);
      if (url === null) return;
      try {
        changeServers(file, (servers) => servers.filter((server) => !isAt(server, url)));
        backends.remove(url);
        publish({ type: 'notice.raised', level: 'good', text: `${url} was removed`, hint: null });
      } catch (error) {
        publish({
          type: 'notice.raised',
          level: 'bad',
          text: `${url} was not removed: ${messageOf(error)}`,
          hint: error instanceof LmappError ? error.hint : null,
        });
      }
    },
  };
}

/** Whether an entry of the configuration stands for an address, however it is written there. */
export function isAt({ url, kind }: BackendSetting, address: string): boolean {
  try {
    return parseAddress(url, kind === 'ollama' ? 11434 : 8080).url === address;
  } catch {
    return false;
  }
}
