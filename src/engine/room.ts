import { pathToFileURL } from 'node:url';
import { answer, type LoadedModel } from './answer.js';
import type { Llama, LlamaModule } from './llama.js';
import { createProcessorMeter } from './processor-use.js';
import type { EngineCommand, EngineFailure, EngineReport } from './protocol.js';
import { openTemplates, type Templates } from './templates.js';
import { createThreadPace } from './thread-pace.js';

/** The engine and its models in the memory of this process. */
export interface Room {
  /** Does one command; resolves to its last report and never rejects. Commands must come one after the other. */
  run(command: EngineCommand, signal: AbortSignal): Promise<EngineReport>;
}

interface Engine {
  readonly module: LlamaModule;
  readonly llama: Llama;
  readonly templates: Templates;
  readonly threads: number;
  readonly keepPace: LoadedModel['keepPace'];
}

/** Of a prompt that are calculated together at most. */
const BATCH_TOKENS = 512;
/** On a CPU a whole batch is not faster; on a GPU it is, and takes no longer. */
const SLICE_TOKENS_OF_CPU = 64;
const LONGEST_LOG = 500;
const LOOK_EVERY_MS = 50;
const PROGRESS_STEP = 0.02;

export function createRoom(report: (report: EngineReport) => void): Room {
  let engine: Engine | null = null;
  const models = new Map<string, LoadedModel>();

  async function start({
    id,
    module: file,
    templates,
    threads: most,
    gpu,
  }: Extract<EngineCommand, { type: 'start' }>): Promise<EngineReport> {
    const module = (await import(pathToFileURL(file).href)) as LlamaModule;
    const llama = await module.getLlama({
      gpu: gpu ? 'auto' : false,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      logLevel: 'warn',
      logger: (level, text) =>
        report({
          type: 'log',
          id: 0,
          level: level === 'warn' ? 'warn' : 'error',
          text: text.trim().slice(0, LONGEST_LOG),
        }),
      maxThreads: most ?? 0,
    });
    const threads = Math.max(1, Math.min(llama.cpuMathCores, most ?? Infinity));
    llama.maxThreads = threads;
    engine = {
      module,
      llama,
      templates: openTemplates(module, templates),
      threads,
      keepPace: paceKeeper(llama, threads),
    };
    return { type: 'started', id, gpu: llama.gpu === false ? null : llama.gpu, threads };
  }

  async function load(
    { id, model: name, path, contextTokens }: Extract<EngineCommand, { type: 'load' }>,
    signal: AbortSignal,
  ): Promise<EngineReport> {
    if (!engine) throw new Error('the engine is not started');
    const begun = performance.now();
    let told = -1;
    await unload(name);
    const model = await engine.llama.loadModel({
      modelPath: path,
      loadSignal: signal,
      onLoadProgress(progress) {
        // It tells each tensor, hundreds of them.
        if (progress - told < PROGRESS_STEP) return;
        told = progress;
        report({ type: 'loading', id, progress });
      },
    });
    try {
      const contextSize = Math.min(contextTokens, model.trainContextSize);
      const making = model.createContext({
        contextSize,
        threads: engine.threads,
        batchSize: Math.min(BATCH_TOKENS, contextSize),
        sequences: 1,
        createSignal: signal,
      });
      // Whatever else fails first is told.
      making.catch(() => undefined);
      // The context is made in another thread meanwhile.
      const [chatWrapper, context] = await Promise.all([engine.templates.wrapperOf(path, model), making]);
      const sequence = context.getSequence();
      const chat = new engine.module.LlamaChat({ contextSequence: sequence, chatWrapper });
      const sliceTokens = engine.llama.gpu === false ? SLICE_TOKENS_OF_CPU : BATCH_TOKENS;
      models.set(name, { model, context, sequence, chat, sliceTokens, keepPace: engine.keepPace });
      const vramBytes = engine.llama.gpu === false ? 0 : model.memoryUsage.vram + context.memoryUsage.vram;
      return {
        type: 'loaded',
        id,
        contextTokens: context.contextSize,
        contextMax: model.trainContextSize,
        memoryBytes: process.memoryUsage.rss() + vramBytes,
        vramBytes,
        ms: performance.now() - begun,
      };
    } catch (error) {
      await model.dispose();
      throw error;
    }
  }

  async function unload(name: string): Promise<void> {
    const loaded = models.get(name);
    models.delete(name);
    await loaded?.context.dispose();
    await loaded?.model.dispose();
  }

  function loaded(name: string): LoadedModel {
    const found = models.get(name);
    if (!found) throw new NotLoaded();
    return found;
  }

  async function work(command: EngineCommand, signal: AbortSignal): Promise<EngineReport> {
    const { id, type } = command;
    switch (type) {
      case 'start':
        return start(command);
      case 'load':
        return load(command, signal);
      case 'unload':
        await unload(command.model);
        return { type: 'unloaded', id };
      case 'chat':
        return answer(loaded(command.model), command, report, signal);
      case 'status':
        return { type: 'status', id, memoryBytes: process.memoryUsage.rss() };
      case 'cancel':
        return { type: 'cancelled', id };
    }
  }

  return {
    async run(command, signal) {
      const { id } = command;
      if (signal.aborted) return { type: 'cancelled', id };
      try {
        return await work(command, signal);
      } catch (error) {
        if (signal.aborted) return { type: 'cancelled', id };
        const words = error instanceof Error ? error.message : String(error);
        return {
          type: 'failed',
          id,
          failure: failureOf(command.type, error),
          words,
          promptTokens: null,
          contextTokens: null,
        };
      }
    },
  };
}

/** A GPU calculates by itself: what this process gets of the processors says nothing then. */
function paceKeeper(llama: Llama, threads: number): LoadedModel['keepPace'] {
  if (llama.gpu !== false || threads === 1) return () => undefined;
  const pace = createThreadPace(threads);
  const meter = createProcessorMeter();
  let lookedAt = 0;
  return (begins) => {
    const now = performance.now();
    if (!begins && now - lookedAt < LOOK_EVERY_MS) return;
    lookedAt = now;
    const use = meter();
    if (begins ? pace.begins(use) : pace.worked(use)) llama.maxThreads = pace.threads;
  };
}

class NotLoaded extends Error {
  override readonly name = 'NotLoaded';
}

/** The engine's own class of a lack of memory is told by its name: it may be another copy than ours. */
function failureOf(type: EngineCommand['type'], error: unknown): EngineFailure {
  if (error instanceof NotLoaded) return 'not-loaded';
  const named = error instanceof Error ? `${error.name} ${error.constructor.name}` : '';
  if (/InsufficientMemory/.test(named)) return 'out-of-memory';
  if (type === 'start') return 'engine';
  return type === 'load' ? 'model' : 'failed';
}
