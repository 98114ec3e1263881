import { CATALOGUE, type CatalogueEntry } from './catalogue.js';
import { decoded } from './decoded.js';

/** What lmapp downloads by itself. */
export type PullTarget =
  | { readonly kind: 'catalogue'; readonly entry: CatalogueEntry }
  /** `quant`: `Q4_K_M`, or the name of a file; null: the one that suits most. */
  | { readonly kind: 'hub'; readonly repo: string; readonly quant: string | null }
  | { readonly kind: 'address'; readonly url: string }
  /** Meant for here, and of no use: why, as words for the address. */
  | { readonly kind: 'wrong'; readonly words: string };

const HUB_PAGE =
  /^https?:\/\/(?:www\.)?(?:huggingface\.co|hf\.co)\/([^/?#]+\/[^/?#]+)(?:\/(?:resolve|blob)\/[^/?#]+\/([^?#]+))?\/?(?:[?#].*)?$/i;
const REPO = /^[\w.-]{1,96}\/[\w.-]{1,96}$/;
const QUANT = /^[\w. /-]{1,200}$/;

/** Null: a name that only a server can know. */
export function pullTargetOf(text: string): PullTarget | null {
  const name = text.trim();
  const entry = CATALOGUE.find((each) => each.name === name.toLowerCase());
  if (entry) return { kind: 'catalogue', entry };
  const page = HUB_PAGE.exec(name);
  if (page) return hubTarget(name, page[1] ?? '', page[2] === undefined ? null : decoded(page[2]));
  if (/^hf:/i.test(name)) {
    const [repo = '', ...rest] = name.slice(3).split(':');
    return hubTarget(name, repo, rest.length === 0 ? null : rest.join(':'));
  }
  if (/^https?:\/\//i.test(name)) return addressTarget(name);
  return null;
}

function hubTarget(name: string, repo: string, quant: string | null): PullTarget {
  const good = REPO.test(repo) && !repo.split('/').some(isDots) && (quant === null || goodQuant(quant));
  return good ? { kind: 'hub', repo, quant } : { kind: 'wrong', words: name };
}

function goodQuant(quant: string): boolean {
  return QUANT.test(quant) && !quant.split('/').some(isDots);
}

/** Names become names of folders. */
function isDots(name: string): boolean {
  return name === '.' || name === '..' || name === '';
}

/**
 * An address of a GGUF. What stands there is run by native code, so it has to come encrypted; on this machine itself nobody stands in
 * between.
 */
function addressTarget(name: string): PullTarget {
  const match = /^(https?):\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^/:?#]+)(?::\d+)?(\/[^?#]*)?/i.exec(name);
  const [, scheme = '', host = '', path = ''] = match ?? [];
  const here = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/i.test(host);
  const safe = scheme.toLowerCase() === 'https' || here;
  return safe && /[^/]\.gguf$/i.test(path)
    ? { kind: 'address', url: name }
    : { kind: 'wrong', words: withoutSecrets(name) };
}

function withoutSecrets(name: string): string {
  return name.replace(/\/\/[^/@]*@/, '//').replace(/[?#].*$/, '');
}
