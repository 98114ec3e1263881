import { readdir, realpath, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { ownerWords, type LocalModelFile } from '../domain/model-file.js';
import { takeProcessLock } from '../process-lock.js';
import { wireError } from '../wire/wire-error.js';
import { onDisk } from './part-file.js';

/** Deletes a model with all of its parts from the folder of lmapp, and folders that are empty then. Throws WireError. */
export async function deleteModel(
  folder: string,
  { path: file, owner, name }: Pick<LocalModelFile, 'path' | 'owner' | 'name'>,
): Promise<void> {
  const own = await realpath(folder).catch(() => null);
  const parent = await realpath(path.dirname(file)).catch(() => null);
  // By the place itself: a link in our folder may lead into another program's.
  const inside = own !== null && parent !== null && (parent === own || parent.startsWith(own + path.sep));
  if (owner !== 'lmapp' || !inside)
    throw wireError('not-ours', {
      model: name,
      title: owner === 'lmapp' ? 'another program' : ownerWords(owner),
    });
  const lock = takeProcessLock(`${file.replace(/\.part$/, '')}.lock`);
  if (lock === null) throw wireError('pulled-already', { model: name });
  try {
    await onDisk(parent, async () => {
      for (const each of await partsOf(parent, path.basename(file)))
        await rm(path.join(parent, each), { force: true });
    });
  } finally {
    lock.release();
  }
  // Empty folders behind it; the first one that holds something stops this.
  for (let each = parent; each !== own; each = path.dirname(each))
    if (
      !(await rmdir(each).then(
        () => true,
        () => false,
      ))
    )
      break;
}

/** A file, its begun download, and all parts of a split model. */
async function partsOf(folder: string, base: string): Promise<readonly string[]> {
  const name = base.replace(/\.part$/, '');
  const split = /^(.*)-\d{5}-of-(\d{5})\.gguf$/i.exec(name);
  const names = await readdir(folder);
  return names.filter((each) => {
    const bare = each.replace(/\.part(\.json)?$/, '');
    if (bare === name) return true;
    const other = /^(.*)-\d{5}-of-(\d{5})\.gguf$/i.exec(bare);
    return split !== null && other !== null && other[1] === split[1] && other[2] === split[2];
  });
}
