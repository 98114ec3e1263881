import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { Environment } from '../ports.js';
import type { BytesAnswer } from '../wire/bytes.js';
import { parseJson } from '../wire/read.js';
import type { WireError } from '../wire/wire-error.js';
import { wireError } from '../wire/wire-error.js';
import type { FileSource, Reach } from './file-source.js';
import { smallAnswer } from './small-answer.js';

/** A file of a repository as the hub tells it. */
interface HubFile {
  readonly path: string;
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
}

const PUBLIC_HUB = 'https://huggingface.co';
/** Without a choice: a quarter of the size, and hardly worse. Then what comes near to it, then anything. */
const PREFERRED = [
  'Q4_K_M',
  'Q4_K_S',
  'Q4_K_XL',
  'Q4_0',
  'IQ4_XS',
  'IQ4_NL',
  'Q4_1',
  'MXFP4',
  'Q5_K_M',
  'Q5_K_S',
  'Q6_K',
  'Q8_0',
];
const FILES_LIMIT = 10_000;
const TOLD_FILES = 12;
const SPLIT = /-(\d{5})-of-(\d{5})\.gguf$/i;

/** HF_ENDPOINT, else the public hub; without a slash at its end. */
export function hubAddress(env: Environment): string {
  const set = (env['HF_ENDPOINT'] ?? '').trim().replace(/\/+$/, '');
  return /^https?:\/\//i.test(set) && URL.canParse(set) ? set : PUBLIC_HUB;
}

/**
 * The files of a model on the hub: one, or all parts of a split one. `quant`: `Q4_K_M`, a name of a file, or null for the usual one.
 * HF_TOKEN goes to the hub only. Throws WireError.
 */
export async function hubSources(
  repo: string,
  quant: string | null,
  reach: Reach,
): Promise<readonly FileSource[]> {
  const files = (await filesOf(repo, reach)).filter(({ path }) => isModel(path));
  if (files.length === 0) throw wireError('hub-no-gguf', { model: repo });
  const chosen = quant === null ? usual(files) : matching(files, quant);
  if (chosen.length === 0)
    throw wireError('hub-no-quant', { model: `${repo}:${quant ?? ''}`, words: offered(files) });
  return chosen.map((file) => sourceOf(repo, file, reach.env));
}

/** A file whose name is known, without asking what else there is: size and sha256 are told at the download. */
export function hubFile(repo: string, file: HubFile, env: Environment): FileSource {
  return sourceOf(repo, file, env);
}

function sourceOf(repo: string, { path, sizeBytes, sha256 }: HubFile, env: Environment): FileSource {
  const hub = hubAddress(env);
  return {
    url: `${hub}/${repo}/resolve/main/${path.split('/').map(encodeURIComponent).join('/')}`,
    authorization: authorizationOf(env),
    name: `${repo}/${path}`,
    sizeBytes,
    sha256,
    magic: 'GGUF',
    refusal: (status) => refusal(status, repo, hub),
    told: toldByHeaders,
  };
}

function authorizationOf(env: Environment): string | null {
  const token = (env['HF_TOKEN'] ?? '').trim();
  // What cannot stand in a header is no token.
  return /^[\x21-\x7e]+$/.test(token) ? `Bearer ${token}` : null;
}

/** The hub itself tells size and sha256 of large files before it redirects to its store. */
function toldByHeaders({ headers, hops }: BytesAnswer): ReturnType<FileSource['told']> {
  const own = hops[0] ?? headers;
  const size = Number(own['x-linked-size']);
  const tag =
    /^(?:W\/)?"?([0-9a-f]{64})"?$/.exec(String(own['x-linked-etag'] ?? own.etag ?? ''))?.[1] ?? null;
  return { sizeBytes: Number.isSafeInteger(size) && size > 0 ? size : null, sha256: tag };
}

function refusal(status: number, model: string, place: string): WireError | null {
  if (status === 401) return wireError('hub-key', { model, place }, { status });
  if (status === 403) return wireError('hub-gated', { model, place }, { status });
  if (status === 404) return wireError('hub-unknown', { model, place }, { status });
  return null;
}

async function filesOf(repo: string, reach: Reach): Promise<readonly HubFile[]> {
  const hub = hubAddress(reach.env);
  const base = `${hub}/api/models/${repo}`;
  // One answer with everything; mirrors that do not know `blobs` leave out sizes, and have the list of files.
  const whole = await listed(`${base}?blobs=true`, 'siblings', repo, reach);
  if (whole !== null && whole.some(({ path, sizeBytes }) => isModel(path) && sizeBytes !== null))
    return whole;
  const tree = await listed(`${base}/tree/main?recursive=true`, null, repo, reach).catch((error: unknown) => {
    if (whole === null) throw error;
    return null;
  });
  const files = tree ?? whole;
  if (files === null) throw wireError('hub-unknown', { model: repo, place: hub }, { status: 404 });
  return files;
}

/** Null: there is no such page. Throws WireError. */
async function listed(
  url: string,
  field: string | null,
  repo: string,
  reach: Reach,
): Promise<readonly HubFile[] | null> {
  const hub = hubAddress(reach.env);
  const headers = { accept: 'application/json' };
  const { answer, text } = await smallAnswer(url, headers, authorizationOf(reach.env), reach);
  const { status } = answer;
  if (status === 404) return null;
  if (status !== 200) throw refusal(status, repo, hub) ?? otherStatus(status, hub);
  const json = parseJson(text);
  const items =
    field === null ? json : (json as Readonly<Record<string, unknown>> | null | undefined)?.[field];
  if (!Array.isArray(items)) throw wireError('hub-answer', { place: hub }, { status });
  return (items as readonly unknown[]).slice(0, FILES_LIMIT).flatMap(asFile);
}

/** The status of a refusal that means nothing more. */
export function otherStatus(status: number, place: string): WireError {
  const id = status === 429 ? 'download-busy' : 'download-refused';
  return wireError(id, { place, status: String(status) }, { status });
}

/** `{rfilename, size, lfs: {sha256, size}}` of the model, or `{type, path, size, lfs: {oid, size}}` of the tree. */
function asFile(item: unknown): readonly HubFile[] {
  if (typeof item !== 'object' || item === null) return [];
  const { rfilename, path, type, size, lfs } = item as Readonly<Record<string, unknown>>;
  const name = typeof rfilename === 'string' ? rfilename : path;
  if (typeof name !== 'string' || (type !== undefined && type !== 'file') || !isSafePath(name)) return [];
  const large = (typeof lfs === 'object' ? lfs : null) as Readonly<Record<string, unknown>> | null;
  const digest = String(large?.['sha256'] ?? large?.['oid'] ?? '').replace(/^sha256:/, '');
  return [
    {
      path: name,
      sizeBytes: countOf(large?.['size']) ?? countOf(size),
      sha256: /^[0-9a-f]{64}$/.test(digest) ? digest : null,
    },
  ];
}

/** It becomes a path on this disk. */
function isSafePath(path: string): boolean {
  return (
    path.length <= 300 &&
    path
      .split('/')
      .every((step) => step !== '' && step !== '.' && step !== '..' && /^[^\\:*?"<>|\p{Cc}]+$/u.test(step))
  );
}

function isModel(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return /\.gguf$/i.test(name) && !/mmproj|imatrix/i.test(name);
}

function usual(files: readonly HubFile[]): readonly HubFile[] {
  for (const quant of PREFERRED) {
    const found = matching(files, quant);
    if (found.length > 0) return found;
  }
  const smallest = [...files].sort((a, b) => (a.sizeBytes ?? Infinity) - (b.sizeBytes ?? Infinity))[0];
  return smallest ? withParts(files, smallest) : [];
}

/** By the whole name of a file, or by a quantisation as it stands in it: `-Q4_K_M.gguf`, `Q4_K_M/…`. */
function matching(files: readonly HubFile[], quant: string): readonly HubFile[] {
  const wanted = quant.toLowerCase();
  const named = files.find(({ path }) => [path.toLowerCase(), baseOf(path)].includes(wanted));
  if (named) return withParts(files, named);
  const escaped = wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`(^|[-._/ ])${escaped}([-./ ]|$)`);
  const found = files.filter(({ path }) => pattern.test(path.toLowerCase()));
  // Of `Q4_K_M` and `UD-Q4_K_M` the plain one; the shortest name is that.
  const [first] = found.sort((a, b) => a.path.length - b.path.length || (a.path < b.path ? -1 : 1));
  return first ? withParts(files, first) : [];
}

function withParts(files: readonly HubFile[], file: HubFile): readonly HubFile[] {
  const split = SPLIT.exec(file.path);
  if (!split) return [file];
  const stem = file.path.slice(0, split.index);
  return files
    .filter(({ path }) => path.startsWith(`${stem}-`) && SPLIT.exec(path)?.[2] === split[2])
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function offered(files: readonly HubFile[]): string {
  const names = files
    .filter(({ path }) => !SPLIT.test(path) || /-00001-of-/.test(path))
    .map(({ path }) => sanitizeLine(path));
  const more = names.length > TOLD_FILES ? ` and ${names.length - TOLD_FILES} more` : '';
  return `${names.slice(0, TOLD_FILES).join(', ')}${more}`;
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).toLowerCase();
}

function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}
