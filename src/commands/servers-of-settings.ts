import { typedAddress } from '../backends/typed-address.js';
import type { SettingKey } from '../config/schema.js';

/** Errors: LmappError with code 2 for an address or a kind of server that there is none of. A value of the wrong type is told by others. */
export function refuseWrongServers(setting: SettingKey, value: unknown): void {
  if (setting !== 'backends' || !Array.isArray(value)) return;
  for (const each of value as readonly unknown[]) {
    const { url, kind } = Object(each) as { readonly url?: unknown; readonly kind?: unknown };
    if (typeof url === 'string') typedAddress(url, typeof kind === 'string' ? kind : null);
  }
}
