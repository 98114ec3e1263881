import type { LoadState } from '../domain/model.js';
import type { BackendWire } from './backend-wire.js';
import { findLoaded, loadedFromPs, type OllamaLoaded } from './ollama-models.js';

/** What is loaded, and what is on its way in or out as far as this program asked for it. */
export class LoadedModels {
  readonly #wire: BackendWire;
  /** What the last answered `/api/ps` said: it hangs while a model is being loaded. */
  #last: readonly OllamaLoaded[] | null = null;
  readonly #loading = new Set<string>();
  /** Since when (monotonic) an unload is under way. */
  readonly #unloading = new Map<string, number>();

  constructor(wire: BackendWire) {
    this.#wire = wire;
  }

  /** Null when it did not answer in time: it is loading a model. Throws only when the caller cancelled. */
  async ask(signal: AbortSignal, timeoutMs: number): Promise<readonly OllamaLoaded[] | null> {
    try {
      const body = await this.#wire.askJson({ path: '/api/ps', signal, timeoutMs });
      this.#last = loadedFromPs(body, this.#wire.clock.now());
      return this.#last;
    } catch (error) {
      if (signal.aborted) throw error;
      return null;
    }
  }

  get last(): readonly OllamaLoaded[] | null {
    return this.#last;
  }

  loadBegins(name: string): void {
    this.#loading.add(name);
  }

  loadEnds(name: string): void {
    this.#loading.delete(name);
  }

  isLoading(name: string): boolean {
    return this.#loading.has(name);
  }

  unloadBegins(name: string): void {
    this.#unloading.set(name, this.#wire.clock.monotonic());
  }

  unloadFailed(name: string): void {
    this.#unloading.delete(name);
  }

  isUnloading(name: string): boolean {
    return this.#unloading.has(name);
  }

  /** After the limit of an unload the model is in use by somebody and stays. */
  unloadIsOver(name: string, gone: boolean): boolean {
    const since = this.#unloading.get(name);
    const patient = since !== undefined && this.#wire.clock.monotonic() - since < this.#wire.limits.unloadMs;
    if (!gone && patient) return false;
    this.#unloading.delete(name);
    return true;
  }

  stateOf(name: string, digest: string | null): { state: LoadState; found: OllamaLoaded | null } {
    const found = this.#last === null ? null : findLoaded(this.#last, name, digest);
    return { state: this.#state(name, found), found };
  }

  #state(name: string, found: OllamaLoaded | null): LoadState {
    if (found !== null) {
      if (!this.#unloading.has(name)) return 'loaded';
      return this.unloadIsOver(name, false) ? 'loaded' : 'unloading';
    }
    if (this.#last !== null) this.#unloading.delete(name);
    if (this.#loading.has(name)) return 'loading';
    return this.#last === null ? 'unknown' : 'unloaded';
  }
}
