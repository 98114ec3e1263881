import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PythonSource } from '../domain/catalogue.js';
import type { Environment } from '../ports.js';
import { basicOf } from '../wire/proxy.js';
import { parseJson } from '../wire/read.js';
import { wireError } from '../wire/wire-error.js';
import type { FileSource, Reach } from './file-source.js';
import { otherStatus } from './hub.js';
import { smallAnswer } from './small-answer.js';

const PUBLIC_INDEX = 'https://pypi.org/simple';
const SIMPLE_JSON = 'application/vnd.pypi.simple.v1+json';
const CONFIG_LIMIT_CHARS = 64 * 1024;

/** Where the settings of pip and uv say that packages are. */
export interface PythonPlaces {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/** The wheel of a package. Throws WireError. */
export async function wheelSource(
  source: PythonSource,
  places: PythonPlaces,
  reach: Reach,
): Promise<FileSource> {
  const index = new URL(`${(await indexAddress(places)).replace(/\/+$/, '')}/${source.package}/`);
  const place = `${index.origin}${index.pathname}`;
  const accept = `${SIMPLE_JSON}, text/html;q=0.2`;
  const { answer, text } = await smallAnswer(index.href, { accept }, null, reach);
  const { status } = answer;
  if (status === 404)
    throw wireError('index-unknown', { place: index.origin, model: source.package }, { status });
  if (status !== 200) throw otherStatus(status, index.origin);
  const json = /json/i.test(answer.headers['content-type'] ?? '');
  const link = json ? linkOfJson(text, source) : linkOfPage(text, source);
  if (link === undefined) throw wireError('index-answer', { place: index.origin }, { status });
  if (link === null || !URL.canParse(link, place))
    throw wireError('index-unknown', { place: index.origin, model: source.wheel }, { status });
  const url = new URL(link, place);
  url.hash = '';
  const same = url.origin === index.origin;
  return {
    url: url.href,
    authorization: same ? basicOf(index) : null,
    name: source.wheel,
    sizeBytes: source.sizeBytes,
    sha256: source.sha256,
    magic: 'PK\x03\x04',
    refusal: () => null,
    told: () => ({ sizeBytes: null, sha256: null }),
  };
}

/** Undefined: not such a list. Null: the wheel is not in it. */
function linkOfJson(text: string, { wheel }: PythonSource): string | null | undefined {
  const files = (parseJson(text) as { files?: unknown } | null | undefined)?.files;
  if (!Array.isArray(files)) return undefined;
  for (const file of files as readonly unknown[]) {
    if (typeof file !== 'object' || file === null) continue;
    const { filename, url } = file as Readonly<Record<string, unknown>>;
    if (filename === wheel && typeof url === 'string') return url;
  }
  return null;
}

/** Older indexes have only a page with links. */
function linkOfPage(text: string, { wheel }: PythonSource): string | null | undefined {
  const links = [...text.matchAll(/<a\s[^>]*?href\s*=\s*["']([^"'<>]+)["']/gi)].map(([, link = '']) =>
    link.replace(/&amp;/g, '&'),
  );
  if (links.length === 0) return undefined;
  return links.find((link) => (link.split(/[?#]/)[0] ?? '').endsWith(`/${wheel}`) || link === wheel) ?? null;
}

/** As pip finds it: variables, then the files of the environment, the user and the machine. */
export async function indexAddress({ env, platform, home }: PythonPlaces): Promise<string> {
  const named = [env['PIP_INDEX_URL'], env['UV_INDEX_URL'], env['UV_DEFAULT_INDEX']];
  for (const address of named) if (address && isAddress(address.trim())) return address.trim();
  for (const file of configFiles(env, platform, home)) {
    const address = await indexIn(file);
    if (address !== null) return address;
  }
  return PUBLIC_INDEX;
}

function configFiles(env: Environment, platform: NodeJS.Platform, home: string): readonly string[] {
  const name = platform === 'win32' ? 'pip.ini' : 'pip.conf';
  const own = env['PIP_CONFIG_FILE'];
  const venv = env['VIRTUAL_ENV'];
  const config = env['XDG_CONFIG_HOME'] || path.join(home, '.config');
  return [
    ...(own ? [own] : []),
    ...(venv ? [path.join(venv, name)] : []),
    ...(platform === 'win32' && env['APPDATA'] ? [path.join(env['APPDATA'], 'pip', name)] : []),
    ...(platform === 'darwin' ? [path.join(home, 'Library', 'Application Support', 'pip', name)] : []),
    path.join(config, 'pip', name),
    path.join(home, platform === 'win32' ? 'pip' : '.pip', name),
    ...(platform === 'win32' ? [] : ['/etc/xdg/pip/pip.conf', '/etc/pip.conf']),
  ];
}

/** `index-url` of the sections `[global]` and `[install]`; the latter counts more. */
async function indexIn(file: string): Promise<string | null> {
  let text;
  try {
    text = (await readFile(file, 'utf8')).slice(0, CONFIG_LIMIT_CHARS);
  } catch {
    return null;
  }
  let section = '';
  const found = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[(.+?)\]\s*$/.exec(line)?.[1]?.trim().toLowerCase() ?? section;
    const value = /^\s*index[-_]url\s*[=:]\s*(\S+)\s*$/i.exec(line)?.[1];
    if (value !== undefined && isAddress(value)) found.set(section, value);
  }
  return found.get('install') ?? found.get('global') ?? null;
}

function isAddress(text: string): boolean {
  return /^https?:\/\//i.test(text) && URL.canParse(text);
}
