import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../files.js';
import { walkFolder, type Asking, type WalkedFile } from './walk-folder.js';

/** A model of Ollama's store. */
export interface StoredModel {
  /** As Ollama calls it: `qwen3:4b`. */
  readonly name: string;
  /** `sha256:…` */
  readonly digest: string;
  /** Its weights. */
  readonly file: WalkedFile;
  /** The end of a sentence, why it does not run from its file alone. */
  readonly problem: string | null;
}

/** HOST/NAMESPACE/NAME/TAG below `manifests`. */
const MANIFEST_DEPTH = 4;
const MANIFESTS_LIMIT = 2000;
/** A manifest names some ten layers. */
const MANIFEST_BYTES = 256 * 1024;
const WEIGHTS = 'application/vnd.ollama.image.model';
const ADAPTER = 'application/vnd.ollama.image.adapter';

/** The models of a store of Ollama, by its manifests. What cannot be read is passed over. */
export async function storedModels(folder: string, ask: Asking): Promise<readonly StoredModel[]> {
  const manifests = path.join(folder, 'manifests');
  const limits = { depth: MANIFEST_DEPTH, entries: 4 * MANIFESTS_LIMIT, files: MANIFESTS_LIMIT };
  const files = await walkFolder(manifests, limits, () => true, { ask, seen: new Set() });
  const models: StoredModel[] = [];
  for (const { path: file, sizeBytes } of files) {
    const steps = path.relative(manifests, file).split(path.sep);
    if (steps.length < 3 || sizeBytes > MANIFEST_BYTES) continue;
    const model = await modelOf(folder, nameOf(steps), file, ask);
    if (model) models.push(model);
  }
  return models;
}

async function modelOf(
  folder: string,
  name: string,
  manifest: string,
  ask: Asking,
): Promise<StoredModel | null> {
  try {
    const layers = layersOf(await ask(readFile(manifest, 'utf8')));
    const weights = layers.find(({ type }) => type === WEIGHTS);
    if (!weights) return null;
    const blob = path.join(folder, 'blobs', weights.digest.replace(':', '-'));
    const stats = await ask(stat(blob));
    const file: WalkedFile = {
      path: blob,
      sizeBytes: stats.size,
      modifiedMs: Math.round(stats.mtimeMs),
      identity: `${stats.dev}:${stats.ino}`,
    };
    const adapted = layers.some(({ type }) => type === ADAPTER);
    return { name, digest: weights.digest, file, problem: adapted ? 'it needs an adapter' : null };
  } catch (error) {
    // Not readable, no JSON, its blob is gone.
    if (error instanceof SyntaxError || systemCode(error) !== '') return null;
    throw error;
  }
}

interface Layer {
  readonly type: string;
  readonly digest: string;
}

function layersOf(text: string): readonly Layer[] {
  const manifest = JSON.parse(text) as unknown;
  if (typeof manifest !== 'object' || manifest === null || !('layers' in manifest)) return [];
  if (!Array.isArray(manifest.layers)) return [];
  return (manifest.layers as readonly unknown[]).flatMap((layer) => {
    if (typeof layer !== 'object' || layer === null || !('mediaType' in layer) || !('digest' in layer))
      return [];
    const { mediaType: type, digest } = layer;
    // The digest becomes a name of a file: nothing else may stand in it.
    const good =
      typeof type === 'string' && typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest);
    return good ? [{ type, digest }] : [];
  });
}

/** As `ollama list` has it: without its own host and the namespace of its library. */
function nameOf(steps: readonly string[]): string {
  const tag = steps.at(-1) ?? '';
  const [host, ...names] = steps.slice(0, -1);
  const own = host === 'registry.ollama.ai' ? names : [host, ...names];
  return `${(own[0] === 'library' && own.length > 1 ? own.slice(1) : own).join('/')}:${tag}`;
}
