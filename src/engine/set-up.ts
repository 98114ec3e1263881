import { CATALOGUE } from '../domain/catalogue.js';
import type { Fault } from '../domain/fault.js';
import type { PullProgress } from '../domain/model.js';
import type { EngineProgress, SetUpEnd, SetUpProgress, SetUpWish } from '../domain/set-up.js';
import { LmappError, messageOf } from '../errors.js';
import { WireError } from '../wire/wire-error.js';
import { offeredGpu } from './gpu-offer.js';
import { installEngine, planOf } from './install.js';
import type { SetUpPorts } from './set-up-offer.js';

/** Nobody waits longer for a hub before a question. */
const HUB_TIMEOUT_MS = 3000;

/** Whether the model hub answers like one, now. Never throws. */
export async function hubAnswers({ ports }: SetUpPorts, signal: AbortSignal): Promise<boolean> {
  const entry = CATALOGUE.find(({ python }) => python === null);
  if (!entry) return false;
  const { hubSources } = await import('./hub.js');
  const reach = {
    env: ports.env,
    clock: ports.clock,
    signal: AbortSignal.any([signal, AbortSignal.timeout(HUB_TIMEOUT_MS)]),
    answerTimeoutMs: HUB_TIMEOUT_MS,
    idleTimeoutMs: HUB_TIMEOUT_MS,
  };
  return hubSources(entry.repo, entry.file, reach).then(
    () => true,
    () => false,
  );
}

/**
 * Fetches what is missing: the engine and the model side by side. When one of them fails, the other one ends, too; what came of either is
 * kept (npm's cache, the part of a file), so that the next try goes on from there. Never throws.
 */
export async function setUp(
  { ports, source, directory, childPath, nvidia }: SetUpPorts,
  wish: SetUpWish,
  onProgress: (progress: SetUpProgress) => void,
  signal: AbortSignal,
): Promise<SetUpEnd> {
  const both = new AbortController();
  const ends = AbortSignal.any([signal, both.signal]);
  let engine: EngineProgress | null = null;
  let model: PullProgress | null = null;
  const tell = (): void => {
    if (!ends.aborted) onProgress({ engine, model });
  };

  async function fetchEngine(): Promise<void> {
    if (source.version() !== null) return;
    const gpu = wish.gpu === true ? (offeredGpu(nvidia, ports.platform, process.arch)?.kind ?? null) : null;
    const { downloadBytes } = planOf(ports.platform, process.arch, gpu);
    engine = { phase: 'waiting', packages: null, packagesTotal: null, downloadBytes };
    await installEngine(
      {
        directory,
        childPath,
        gpu,
        env: ports.env,
        now: ports.clock.now,
        platform: ports.platform,
        onProgress(progress) {
          engine = { ...progress, downloadBytes };
          tell();
        },
      },
      ends,
    );
  }

  async function fetchModel(): Promise<string | null> {
    if (wish.kind === 'file') return null;
    model = { phase: 'preparing', status: 'asks', completedBytes: null, totalBytes: null, layers: [] };
    const reports = (await source.pulls()).pull(wish.name, ends);
    for (;;) {
      const next = await reports.next();
      if (next.done === true) return next.value;
      model = next.value;
      tell();
    }
  }

  async function orEndBoth<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      both.abort(error);
      throw error;
    }
  }

  try {
    const parts = await Promise.allSettled([orEndBoth(fetchEngine), orEndBoth(fetchModel)]);
    if (signal.aborted) return { outcome: 'cancelled' };
    if (both.signal.aborted) throw both.signal.reason;
    const path = parts[1].status === 'fulfilled' ? parts[1].value : null;
    if (path === null) return { outcome: 'done', name: wish.name };
    const file = (await source.files(signal)).find((each) => each.path === path);
    if (file) return { outcome: 'done', name: file.name };
    throw new LmappError('no-model', `${path} came, and is not found among the model files.`, {
      hint: 'Look at its folder, and try again.',
    });
  } catch (error) {
    return signal.aborted ? { outcome: 'cancelled' } : { outcome: 'failed', fault: faultOf(error) };
  }
}

function faultOf(error: unknown): Fault {
  if (error instanceof WireError) return error.fault;
  const { message, hint } = error instanceof LmappError ? error : { message: messageOf(error), hint: null };
  return { code: 'server-error', message, hint, status: null };
}
