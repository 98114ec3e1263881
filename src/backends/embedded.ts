import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { embeddedContext } from '../domain/embedded-context.js';
import { faultFor } from '../domain/fault-table.js';
import {
  type BackendCheck,
  type BackendInfo,
  type Model,
  type ModelDetails,
  type PullProgress,
  modelKey,
} from '../domain/model.js';
import { ownerWords, type LocalModelFile } from '../domain/model-file.js';
import type { Engine, EngineModelState, ModelToRun } from '../engine/engine-contract.js';
import type { EmbeddedSource } from '../engine/source.js';
import { WireError } from '../wire/wire-error.js';
import {
  BackendError,
  type Activity,
  type Backend,
  type BackendPorts,
  type BackendType,
  type ChatEvent,
  type ChatRequest,
  type LoadOptions,
} from './backend.js';
import { NO_DETAILS } from './details.js';
import { embeddedFault, endedFault } from './embedded-fault.js';
import { EMBEDDED_FEATURES } from './embedded-features.js';
import { embeddedAnswer } from './embedded-answer.js';
import { keepMsOf } from './keep-alive.js';
import { NO_NETWORK } from './not-concerned.js';

/** Models that run in a child of our own, without any server: `src/engine`. */
export const embedded: BackendType = {
  kind: 'embedded',
  title: 'this machine',
  defaultPorts: [],
  startCommand: '',
  logPlace: '—',
  features: EMBEDDED_FEATURES,
  notConcerned: NO_NETWORK,
  create: (_address, ports) => new Embedded(ports),
};

const ENGINE = 'engine';

class Embedded implements Backend {
  readonly info: BackendInfo = {
    id: 'embedded',
    kind: 'embedded',
    title: embedded.title,
    url: '',
    features: EMBEDDED_FEATURES,
  };
  readonly #ports: BackendPorts;
  readonly #source: EmbeddedSource | null;
  #files: readonly LocalModelFile[] = [];

  constructor(ports: BackendPorts) {
    this.#ports = ports;
    this.#source = ports.embedded ?? null;
  }

  check(): Promise<BackendCheck> {
    const version = this.#source?.version() ?? null;
    const engine = this.#source?.running() ?? null;
    return Promise.resolve(
      version === null
        ? {
            status: { state: 'away', fault: faultFor('engine-missing'), sinceMs: this.#ports.now() },
            version,
            processing: null,
            queued: null,
          }
        : {
            status: { state: 'ready' },
            version,
            processing: engine?.working ?? 0,
            queued: engine?.queued ?? 0,
          },
    );
  }

  async models(signal: AbortSignal): Promise<readonly Model[]> {
    if (!this.#source) throw new BackendError(faultFor('engine-missing'));
    this.#files = await this.#source.files(signal);
    const engine = this.#source.running();
    return this.#files.map((file) => modelOf(this.info.id, file, engine?.stateOf(file.name) ?? null));
  }

  async *chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<ChatEvent> {
    yield { type: 'sent' };
    if (signal.aborted) return yield cancelled();
    try {
      const { engine, run } = await this.#toRun(
        request.model,
        request.contextTokens ?? null,
        request.keepAlive,
        signal,
      );
      yield* embeddedAnswer(engine, run, request, this.#ports, signal);
    } catch (error) {
      if (signal.aborted) return yield cancelled();
      yield { type: 'ended', outcome: 'failed', reason: null, fault: embeddedFault(error) };
    }
  }

  async details(model: Model, signal: AbortSignal): Promise<ModelDetails> {
    const { path, owner, problem, shape } = await this.#fileOf(model, signal);
    return {
      ...NO_DETAILS,
      facts: [
        ['file', path],
        ['belongs to', ownerWords(owner)],
        ...(problem === null ? [] : [['cannot be run', problem] as const]),
      ],
      shape: shape ?? null,
    };
  }

  async load(model: Model, options: LoadOptions, signal: AbortSignal): Promise<void> {
    const { engine, run } = await this.#toRun(model, options.contextTokens, options.keepAlive, signal);
    options.onProgress(null, ENGINE);
    const report = await engine
      .load(run, (told) => told.type === 'loading' && options.onProgress(told.progress, ENGINE), signal)
      .catch((error: unknown) => Promise.reject(new BackendError(embeddedFault(error), error)));
    if (report.type === 'failed') throw new BackendError(endedFault(report, model.label));
  }

  async unload(model: Model): Promise<void> {
    await this.#source?.running()?.unload(model.name);
  }

  async *pull(name: string, signal: AbortSignal): AsyncGenerator<PullProgress> {
    if (!this.#source) throw new BackendError(faultFor('engine-missing'));
    try {
      yield* (await this.#source.pulls()).pull(name, signal);
    } catch (error) {
      throw told(error);
    }
  }

  async delete(model: Model, signal: AbortSignal): Promise<void> {
    const file = await this.#fileOf(model, signal);
    if (file.owner === 'lmapp') await this.unload(model);
    await (await this.#source?.pulls())?.delete(file).catch((error: unknown) => Promise.reject(told(error)));
    this.#files = this.#files.filter(({ path }) => path !== file.path);
  }

  activity(): Promise<Activity> {
    return Promise.resolve({ working: this.#source?.running()?.working ?? 0, source: ENGINE });
  }

  close(): void {
    this.#source?.running()?.close();
  }

  /** Errors: BackendError. */
  async #toRun(
    { name, label }: Model,
    contextTokens: number | null,
    keepAlive: string,
    signal: AbortSignal,
  ): Promise<{ readonly engine: Engine; readonly run: ModelToRun }> {
    const engine = await this.#source?.engine();
    if (!engine || !this.#source) throw new BackendError(faultFor('engine-missing'));
    const file = await this.#fileOf({ name, label }, signal);
    if (file.problem !== null)
      throw new BackendError(
        faultFor('model-file-problem', { model: label, words: sanitizeLine(file.problem) }),
      );
    const { path, contextMax } = file;
    const most = contextMax ?? Infinity;
    const run: ModelToRun = {
      name,
      path,
      contextTokens: contextTokens === null ? null : Math.min(contextTokens, most),
      contextDefault: embeddedContext(file, this.#source.freeBytes()),
      keepMs: keepMsOf(keepAlive),
    };
    return { engine, run };
  }

  /** Errors: BackendError. */
  async #fileOf(
    { name, label }: Pick<Model, 'name' | 'label'>,
    signal: AbortSignal,
  ): Promise<LocalModelFile> {
    const known = (files: readonly LocalModelFile[]): LocalModelFile | undefined =>
      files.find((each) => each.name === name);
    const file = known(this.#files) ?? known((this.#files = (await this.#source?.files(signal)) ?? []));
    if (!file) throw new BackendError(faultFor('unknown-model', { title: 'This machine', model: label }));
    return file;
  }
}

function told(error: unknown): unknown {
  return error instanceof WireError ? new BackendError(error.fault, error) : error;
}

function cancelled(): ChatEvent {
  return { type: 'ended', outcome: 'cancelled', reason: null, fault: null };
}

function modelOf(backendId: string, file: LocalModelFile, state: EngineModelState | null): Model {
  const loaded = state?.state === 'loaded' ? state : null;
  return {
    key: modelKey(backendId, file.name),
    backendId,
    name: file.name,
    label: sanitizeLine(file.name),
    digest: file.digest,
    sizeBytes: file.sizeBytes,
    family: file.family,
    parameters: file.parameters,
    quantization: file.quantization,
    contextMax: file.contextMax,
    contextAllocated: loaded?.contextTokens ?? null,
    capabilities: file.capabilities,
    chat: file.chat && file.problem === null,
    remote: false,
    loadState: state?.state ?? 'unloaded',
    loadProgress: state?.state === 'loading' ? state.progress : null,
    memoryBytes: loaded?.memoryBytes ?? null,
    vramBytes: loaded?.vramBytes ?? null,
    expiry: loaded?.expiry ?? null,
  };
}
