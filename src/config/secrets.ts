import type { BackendSetting, Settings } from '../domain/settings.js';
import { LmappError } from '../errors.js';
import type { Environment } from '../ports.js';

const HIDDEN = '••••';
const REFERENCE = /^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$/;

/** The key of a server with `${NAME}` replaced from the environment; null without a key. Errors: LmappError when NAME is not set. */
export function keyOf(backend: BackendSetting, env: Environment): string | null {
  if (!backend.key) return null;
  const name = REFERENCE.exec(backend.key)?.[1];
  if (name === undefined) return backend.key;
  const value = env[name];
  if (value) return value;
  throw new LmappError(
    'config.key-missing',
    `The key of ${backend.url} is to come from ${name}, which is not set`,
    {
      hint: `Set it with: export ${name}=…`,
    },
  );
}

/** The settings as they may be shown, logged and recorded: keys are hidden, names of variables stay. */
export function withoutKeys(settings: Settings): Settings {
  return {
    ...settings,
    backends: settings.backends.map((backend) => ({
      ...backend,
      // Refused as an address, and no less secret for that.
      url: backend.url.replace(/(^|\/)[^/@]*@/, `$1${HIDDEN}@`),
      ...(backend.key !== undefined && !REFERENCE.test(backend.key) && { key: HIDDEN }),
    })),
  };
}

/** The real texts of all keys, for whoever writes logs. */
export function secretsOf(settings: Settings, env: Environment): readonly string[] {
  return settings.backends.flatMap((backend) => {
    try {
      return keyOf(backend, env) ?? [];
    } catch {
      return [];
    }
  });
}
