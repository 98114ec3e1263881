import { decoded } from '../domain/decoded.js';
import type { FileSource } from './file-source.js';

/** A GGUF at a plain address: its size and strong validator are told by its server, its sha256 by nobody. */
export function addressSource(address: string): FileSource {
  const url = new URL(address);
  const base = decoded(url.pathname.slice(url.pathname.lastIndexOf('/') + 1));
  return {
    url: url.href,
    authorization: null,
    name: `${asName(url.host)}/${asName(base)}`,
    sizeBytes: null,
    sha256: null,
    magic: 'GGUF',
    refusal: () => null,
    told: () => ({ sizeBytes: null, sha256: null }),
  };
}

/** What can be a name on any disk. */
function asName(text: string): string {
  const name = text.replace(/[\\/:*?"<>|\p{Cc}\p{Cf}]/gu, '_').slice(-200);
  return /^\.+$/.test(name) ? '_' : name;
}
