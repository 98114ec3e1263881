import type { BackendPorts } from '../backends/backend.js';
import { lookAt } from '../backends/look.js';
import { isAt, typedAddress } from '../backends/typed-address.js';
import { changeServers } from '../config/edit.js';
import { keyOf } from '../config/secrets.js';
import type { Fault } from '../domain/fault.js';
import type { BackendSetting } from '../domain/settings.js';
import { LmappError, messageOf } from '../errors.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Environment } from '../ports.js';
import type { Effect } from '../state/effect.js';
import { fault } from '../wire/wire-error.js';
import type { Backends } from './backends.js';

export interface ServerEffectOptions {
  /** The configuration. */
  readonly file: string;
  readonly env: Environment;
  readonly ports: BackendPorts;
  readonly backends: Backends;
  readonly publish: (event: AppEvent) => void;
  /** The address of a server in the list. */
  readonly urlOf: (backendId: string) => string | null;
  /** Told of every key that is typed, before it is used. */
  readonly onSecret: (secret: string) => void;
}

type Wanted<T extends Effect['type']> = Extract<Effect, { readonly type: T }>;

export interface ServerEffects {
  probe(effect: Wanted<'server.probe'>): Promise<void>;
  save(effect: Wanted<'server.save'>): void;
  remove(effect: Wanted<'server.remove'>): void;
  stop(): void;
}

/** Servers that the user adds and removes while the dashboard runs. */
export function createServerEffects(options: ServerEffectOptions): ServerEffects {
  const { file, env, backends, publish } = options;
  let probing = new AbortController();

  /** The key itself. Errors: LmappError when the variable that it is to come from is not set. */
  function secretOf(url: string, key: string | null): string | null {
    const secret = key === null ? null : keyOf({ url, key }, env);
    if (secret !== null) options.onSecret(secret);
    return secret;
  }

  return {
    async probe({ address, key }) {
      probing.abort();
      const own = (probing = new AbortController());
      const nothing = { url: null, kind: null, named: false, version: null, models: null };
      const tell = (found: Omit<AppEvent & { type: 'server.probed' }, 'type' | 'address'>): void =>
        publish({ type: 'server.probed', address, ...found });
      try {
        const { url, kind } = typedAddress(address);
        const where = { ...nothing, url, kind, named: kind !== null };
        let secret: string | null;
        try {
          secret = secretOf(url, key);
        } catch (error) {
          return tell({ ...where, fault: faultOfSetting(error, 'unauthorized') });
        }
        const look = await lookAt({ url, key: secret }, kind, own.signal, options.ports);
        look.backend?.close();
        tell({
          ...where,
          kind: look.backend?.info.kind ?? kind,
          version: look.check?.version ?? null,
          models: look.models?.length ?? null,
          fault: look.fault,
        });
      } catch (error) {
        if (!own.signal.aborted) tell({ ...nothing, fault: faultOfSetting(error, 'not-a-server') });
      }
    },

    save({ url, kind, detected, key }) {
      const setting: BackendSetting = {
        ...(kind === null ? {} : { kind }),
        url,
        ...(key === null ? {} : { key }),
      };
      let problem: string | null = null;
      let hint: string | null = null;
      try {
        changeServers(file, (servers) => [
          ...servers.filter((server) => !isAt(server, url)),
          // What else was written about it stays.
          { ...restOf(servers.find((server) => isAt(server, url))), ...setting },
        ]);
      } catch (error) {
        problem = messageOf(error);
        hint = error instanceof LmappError ? error.hint : null;
      }
      let secret: string | null = null;
      try {
        secret = secretOf(url, key);
      } catch {
        // It was told when the key was typed; the server is asked without one and says that it wants one.
      }
      backends.add({ address: { url, key: secret }, kind, detected, kept: problem === null });
      publish({ type: 'server.saved', url, problem, hint });
    },

    remove({ backendId }) {
      const url = options.urlOf(backendId);
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

    stop: () => probing.abort(),
  };
}

/** What the form does not ask for. */
function restOf(setting: BackendSetting | undefined): Partial<BackendSetting> {
  const { url: _url, kind: _kind, key: _key, ...rest } = setting ?? { url: '' };
  return rest;
}

function faultOfSetting(error: unknown, code: Fault['code']): Fault {
  return fault(code, messageOf(error), error instanceof LmappError ? error.hint : null);
}
