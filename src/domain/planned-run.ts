import { embeddedContext } from './embedded-context.js';
import type { RunOptions } from './fit-terms.js';
import type { BackendKind, Model, ModelDetails } from './model.js';
import type { PastLoad } from './past-loads.js';
import type { Room } from './room.js';

/** The context that a load would get, and why that one. */
export interface PlannedContext {
  readonly tokens: number;
  readonly source:
    | 'chosen'
    | 'as it is loaded'
    | 'of its last load'
    | 'of its model file'
    | 'by the free memory'
    | 'by the memory of the GPU'
    | 'usual without a GPU'
    | 'assumed';
}

/** Ollama's own choice, where it is told nothing: by all memory of the GPUs. */
const BY_GPU_MEMORY = [
  { below: 23 * 1024 ** 3, tokens: 4096 },
  { below: 47 * 1024 ** 3, tokens: 32_768 },
  { below: Infinity, tokens: 262_144 },
] as const;
const ASSUMED_TOKENS = 4096;

export interface Planning {
  readonly kind: BackendKind;
  readonly model: Model;
  /** Id of the model in the past loads. */
  readonly id: string;
  readonly details: ModelDetails | null;
  readonly room: Room;
  /** By the configuration or a command. */
  readonly chosenTokens: number | null;
  readonly loads: readonly PastLoad[];
}

export function plannedContext({
  kind,
  model,
  id,
  details,
  room,
  chosenTokens,
  loads,
}: Planning): PlannedContext {
  const most = (tokens: number): number => Math.min(tokens, model.contextMax ?? Infinity);
  if (chosenTokens !== null) return { tokens: most(chosenTokens), source: 'chosen' };
  if (model.loadState === 'loaded' && model.contextAllocated !== null)
    return { tokens: model.contextAllocated, source: 'as it is loaded' };
  const told = Number(details?.parameters.find(([name]) => name === 'num_ctx')?.[1] ?? NaN);
  if (Number.isSafeInteger(told) && told > 0) return { tokens: most(told), source: 'of its model file' };
  // The engine chooses anew in each run.
  if (kind === 'embedded' && details?.shape) {
    const { contextMax, sizeBytes } = model;
    const tokens = embeddedContext({ contextMax, sizeBytes, shape: details.shape }, room.memoryBytes);
    return { tokens, source: 'by the free memory' };
  }
  const last = loads.findLast((load) => load.model === id);
  if (last) return { tokens: most(last.contextTokens), source: 'of its last load' };
  if (kind !== 'ollama') return { tokens: most(ASSUMED_TOKENS), source: 'assumed' };
  const total = room.gpus.reduce((sum, { totalBytes }) => sum + (totalBytes ?? 0), 0);
  const { tokens } = BY_GPU_MEMORY.find(({ below }) => total < below) ?? BY_GPU_MEMORY[0];
  return { tokens: most(tokens), source: total > 0 ? 'by the memory of the GPU' : 'usual without a GPU' };
}

/** How a server runs a model with a context of so many tokens. */
export function runOf(
  kind: BackendKind,
  model: Model,
  details: ModelDetails | null,
  contextTokens: number,
): RunOptions {
  const weights = details?.shape?.weightBytes ?? null;
  const hasProjector = details?.facts.some(([name]) => name === 'projector') === true;
  // The size of an entry of the list includes it, the tensors do not.
  const projectorBytes =
    hasProjector && weights !== null && model.sizeBytes !== null ? Math.max(0, model.sizeBytes - weights) : 0;
  return { projectorBytes, ...(kind === 'ollama' ? { microBatch: ollamaMicroBatch(contextTokens) } : {}) };
}

function ollamaMicroBatch(contextTokens: number): number {
  if (contextTokens <= 4096) return 512;
  return contextTokens <= 32_768 ? 1024 : 2048;
}
