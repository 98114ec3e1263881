import type { LocalModelFile } from '../domain/model-file.js';
import type { PullProgress } from '../domain/model.js';
import { pullTargetOf } from '../domain/pull-target.js';
import { cancelledError, wireError } from '../wire/wire-error.js';
import { latestOf } from './latest.js';
import { deleteModel } from './model-delete.js';
import { OnePull, preparing, type ModelPullsOptions } from './one-pull.js';
import { Turns } from './turns.js';

/** Downloads of models by lmapp itself. */
export interface ModelPulls {
  /**
   * Fetches `hf:ORG/REPO[:QUANT]`, an https address of a GGUF, or a name of the catalogue. Its last report is `done`, and its value the
   * path of the (first) file. Throws WireError; an abort ends it with a cancelled one. What came is kept to go on from there.
   */
  pull(name: string, signal: AbortSignal): AsyncGenerator<PullProgress, string>;
  /** Deletes a file that lmapp has fetched, with all of its parts. Throws WireError; files of other programs are refused. */
  delete(file: Pick<LocalModelFile, 'path' | 'owner' | 'name'>): Promise<void>;
}

/** More at once would only make each slower. */
const AT_ONCE = 2;
/** Reports in between say nothing that anybody could see. */
const TOLD_EVERY_MS = 100;
export function createModelPulls(options: ModelPullsOptions): ModelPulls {
  const turns = new Turns(AT_ONCE);
  return {
    pull: (name, signal) => pulled(options, turns, name, signal),
    delete: async (file) => {
      await deleteModel(options.folder, file);
      options.onChange?.();
    },
  };
}

async function* pulled(
  options: ModelPullsOptions,
  turns: Turns,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<PullProgress, string> {
  const target = pullTargetOf(name);
  if (target === null || target.kind === 'wrong')
    throw wireError('download-address', { words: target?.words ?? name });
  const ended = new AbortController();
  const onAbort = (): void => ended.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) ended.abort();
  const reports = latestOf<PullProgress>(
    options.clock,
    TOLD_EVERY_MS,
    (a, b) => a.phase !== b.phase || a.status !== b.status,
  );
  const work = turns
    .take(ended.signal, () => reports.put(preparing('waits for another download')))
    .then((giveBack) => new OnePull(options, target, ended.signal, reports).run().finally(giveBack));
  work.then(reports.end, reports.end);
  try {
    yield* reports.all();
    return await work;
  } catch (error) {
    throw signal.aborted ? cancelledError() : error;
  } finally {
    // Whoever stops listening ends the work, too; and it has ended when this has.
    ended.abort();
    signal.removeEventListener('abort', onAbort);
    await work.catch(() => undefined);
  }
}
