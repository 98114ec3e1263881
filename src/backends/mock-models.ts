import { faultFor } from '../domain/fault-table.js';
import {
  type Model,
  type ModelDetails,
  MOCK_MODEL,
  modelKey,
  type PullLayer,
  type PullProgress,
} from '../domain/model.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { BackendError } from './backend.js';
import { NO_DETAILS } from './details.js';

const CONTEXT_TOKENS = 4096;
const LAYER_BYTES: readonly number[] = [48_000_000, 12_000, 500];
const PULL_STEPS = 40;

/** The models of the mock: its own, and what was "pulled" in this run. Nothing is fetched and nothing is kept. */
export class MockModels {
  readonly #names = new Set(['mock']);
  readonly #loaded = new Set(['mock']);
  /** Bytes that came before a pull was stopped, by name. */
  readonly #parts = new Map<string, number>();

  list(): readonly Model[] {
    return [...this.#names].map((name) => {
      const loaded = this.#loaded.has(name);
      return {
        key: modelKey(MOCK_MODEL.backendId, name),
        backendId: MOCK_MODEL.backendId,
        name,
        label: name === MOCK_MODEL.name ? MOCK_MODEL.label : sanitizeLine(name),
        digest: null,
        sizeBytes: name === 'mock' ? null : sum(LAYER_BYTES),
        family: null,
        parameters: null,
        quantization: null,
        contextMax: CONTEXT_TOKENS,
        contextAllocated: loaded ? CONTEXT_TOKENS : null,
        capabilities: ['completion', 'thinking'],
        chat: true,
        remote: false,
        loadState: loaded ? ('loaded' as const) : ('unloaded' as const),
        loadProgress: null,
        memoryBytes: null,
        vramBytes: null,
        expiry: null,
      };
    });
  }

  isLoaded(name: string): boolean {
    return this.#loaded.has(name);
  }

  setLoaded(name: string, loaded: boolean): void {
    if (loaded) this.#loaded.add(name);
    else this.#loaded.delete(name);
  }

  delete(name: string): void {
    if (name === 'mock') throw new BackendError(faultFor('mock-stays'));
    if (!this.#names.delete(name))
      throw new BackendError(faultFor('unknown-model', { title: 'mock', model: name }));
    this.#loaded.delete(name);
  }

  details(name: string): ModelDetails {
    return {
      ...NO_DETAILS,
      template: '{{ prompt }}',
      parameters: [['num_ctx', String(CONTEXT_TOKENS)]],
      facts: [
        [
          'what it is',
          name === 'mock' ? 'a text that is told piece by piece' : 'a name: nothing was fetched',
        ],
      ],
    };
  }

  /** Layers one after the other; a name with `missing` in it does not exist. `tick` resolves to true when it was cancelled. */
  async *pull(name: string, tick: () => Promise<boolean>): AsyncGenerator<PullProgress> {
    yield report('preparing', 'pulling manifest', 0, []);
    if (await tick()) return;
    if (name.includes('missing'))
      throw new BackendError(faultFor('unknown-pull', { words: `${name} is missing.` }));
    const total = sum(LAYER_BYTES);
    for (let done = this.#parts.get(name) ?? 0; ; done = Math.min(total, done + total / PULL_STEPS)) {
      this.#parts.set(name, done);
      yield report('downloading', 'pulling layers', done, layersAt(done));
      if (done >= total) break;
      if (await tick()) return;
    }
    yield report('verifying', 'verifying sha256 digest', total, layersAt(total));
    if (await tick()) return;
    this.#parts.delete(name);
    this.#names.add(name);
    yield report('done', 'success', total, layersAt(total));
  }
}

function report(
  phase: PullProgress['phase'],
  status: string,
  completed: number,
  layers: readonly PullLayer[],
): PullProgress {
  const known = layers.length > 0;
  return {
    phase,
    status,
    completedBytes: known ? completed : null,
    totalBytes: known ? sum(LAYER_BYTES) : null,
    layers,
  };
}

function layersAt(completed: number): readonly PullLayer[] {
  let left = completed;
  return LAYER_BYTES.map((totalBytes, i) => {
    const completedBytes = Math.min(totalBytes, left);
    left -= completedBytes;
    return { id: `layer ${i + 1}`, completedBytes, totalBytes };
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
