import type { ShowAnswer } from './show-answers.js';

/** What the scripted server says: the shapes of Ollama and llama.cpp, field by field as their recorded answers have them. */

/** A model that the scripted server offers. Sizes in bytes, context in tokens. */
export interface ScriptedModel {
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly family: string;
  readonly parameters: string;
  readonly quantization: string;
  readonly contextMax: number;
  readonly capabilities: readonly string[];
  /** Its own keys and tensors in the details; absent: keys of an 8B, no tensors. */
  readonly show?: ShowAnswer;
  /** What it takes once it is loaded; absent: 2 GB. */
  readonly memoryBytes?: number;
  /** Loaded: its allocated context, memory and the seconds until it is unloaded. Null: on disk only. */
  readonly loaded: {
    readonly context: number;
    readonly sizeBytes: number;
    readonly vramBytes: number;
    readonly forSeconds: number;
  } | null;
}

export interface ChatFigures {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly promptMs: number;
  readonly loadMs: number;
  readonly answerTokens: number;
  readonly answerMs: number;
}

const WORDS =
  ' the parser reads a line and waits for more bytes until server closes its side then flush what was kept'.match(
    / \S+/g,
  ) ?? [];

/** Piece `index` of an endless text: words, a line end after every 13th and an empty line after every 91st piece. */
export function pieceAt(index: number): string {
  const word = WORDS[(index * 7 + Math.floor(index / 13)) % WORDS.length] ?? ' word';
  if (index % 91 === 90) return `${word}.\n\n`;
  return index % 13 === 12 ? `${word}\n` : word;
}

const NANOSECONDS_PER_MS = 1e6;

function details(model: ScriptedModel): Record<string, unknown> {
  return {
    parent_model: '',
    format: 'gguf',
    family: model.family,
    families: [model.family],
    parameter_size: model.parameters,
    quantization_level: model.quantization,
  };
}

/** Bodies of Ollama's native API. */
export const ollama = {
  tags: (models: readonly ScriptedModel[]) => ({
    models: models.map((model) => ({
      name: model.name,
      model: model.name,
      modified_at: '2026-11-23T20:49:01.448165415Z',
      size: model.sizeBytes,
      digest: model.digest,
      details: { ...details(model), context_length: model.contextMax, embedding_length: 4096 },
      capabilities: model.capabilities,
    })),
  }),
  ps: (models: readonly ScriptedModel[], now: number) => ({
    models: models.flatMap((model) =>
      model.loaded === null
        ? []
        : [
            {
              name: model.name,
              model: model.name,
              size: model.loaded.sizeBytes,
              digest: model.digest,
              details: details(model),
              expires_at: new Date(now + model.loaded.forSeconds * 1000).toISOString(),
              size_vram: model.loaded.vramBytes,
              context_length: model.loaded.context,
            },
          ],
    ),
  }),
  v1Models: (models: readonly ScriptedModel[]) => ({
    object: 'list',
    data: models.map((model) => ({
      id: model.name,
      object: 'model',
      created: 1795467541,
      owned_by: 'library',
    })),
  }),
  show: (model: ScriptedModel) => ({
    modelfile: `FROM ${model.name}\n`,
    parameters: 'num_ctx                        8192',
    template: '{{ .Prompt }}',
    details: details(model),
    model_info: {
      'general.architecture': model.family,
      [`${model.family}.context_length`]: model.contextMax,
      [`${model.family}.block_count`]: 36,
      [`${model.family}.embedding_length`]: 4096,
      [`${model.family}.attention.head_count`]: 32,
      [`${model.family}.attention.head_count_kv`]: 8,
      ...model.show?.model_info,
    },
    ...(model.show ? { tensors: model.show.tensors } : {}),
    capabilities: model.capabilities,
    modified_at: '2026-11-23T20:49:01.448165415Z',
  }),
  piece: (model: string, kind: 'content' | 'thinking', text: string) =>
    JSON.stringify({
      model,
      created_at: new Date().toISOString(),
      message: {
        role: 'assistant',
        content: kind === 'content' ? text : '',
        ...(kind === 'thinking' && { thinking: text }),
      },
      done: false,
    }) + '\n',
  end: (model: string, figures: ChatFigures, reason: 'stop' | 'length') =>
    JSON.stringify({
      model,
      created_at: new Date().toISOString(),
      message: { role: 'assistant', content: '' },
      done: true,
      done_reason: reason,
      total_duration: (figures.loadMs + figures.promptMs + figures.answerMs) * NANOSECONDS_PER_MS,
      load_duration: figures.loadMs * NANOSECONDS_PER_MS,
      prompt_eval_count: figures.promptTokens,
      prompt_eval_duration: figures.promptMs * NANOSECONDS_PER_MS,
      eval_count: figures.answerTokens,
      eval_duration: Math.round(figures.answerMs * NANOSECONDS_PER_MS),
    }) + '\n',
};

function timings(figures: ChatFigures): Record<string, number> {
  const perSecond = (tokens: number, ms: number): number => (ms > 0 ? (tokens * 1000) / ms : 0);
  return {
    cache_n: figures.cachedTokens,
    prompt_n: figures.promptTokens - figures.cachedTokens,
    prompt_ms: figures.promptMs,
    prompt_per_token_ms: figures.promptMs / Math.max(1, figures.promptTokens),
    prompt_per_second: perSecond(figures.promptTokens, figures.promptMs),
    predicted_n: figures.answerTokens,
    predicted_ms: figures.answerMs,
    predicted_per_token_ms: figures.answerMs / Math.max(1, figures.answerTokens),
    predicted_per_second: perSecond(figures.answerTokens, figures.answerMs),
  };
}

function chunk(
  model: string,
  delta: Record<string, unknown>,
  finish: string | null,
): Record<string, unknown> {
  return {
    choices: [{ finish_reason: finish, index: 0, delta }],
    created: Math.floor(Date.now() / 1000),
    id: 'chatcmpl-mJgJ2RifLCo551PxWCTfcpHX5dWRrVMw',
    model,
    system_fingerprint: 'b6412-scripted',
    object: 'chat.completion.chunk',
  };
}

const sse = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;

/** Bodies of llama.cpp's llama-server. */
export const llamaCpp = {
  models: (models: readonly ScriptedModel[]) => ({
    models: models.map((model) => ({
      name: model.name,
      model: model.name,
      modified_at: '',
      size: '',
      digest: '',
      type: 'model',
      description: '',
      tags: [''],
      capabilities: model.capabilities,
      parameters: '',
      details: {
        parent_model: '',
        format: 'gguf',
        family: '',
        families: [''],
        parameter_size: '',
        quantization_level: '',
      },
    })),
    object: 'list',
    data: models.map((model) => ({
      id: model.name,
      aliases: [model.name],
      tags: [],
      object: 'model',
      architecture: { input_modalities: ['text'], output_modalities: ['text'] },
      created: 1795467675,
      owned_by: 'llamacpp',
      meta: {
        vocab_type: 2,
        n_vocab: 49152,
        n_ctx: model.loaded?.context ?? model.contextMax,
        n_ctx_train: model.contextMax,
        n_embd: 576,
        n_params: 134515008,
        size: model.sizeBytes,
        ftype: model.quantization,
      },
    })),
  }),
  props: (model: ScriptedModel, slots: number) => ({
    default_generation_settings: {
      params: { temperature: 0.8 },
      n_ctx: model.loaded?.context ?? model.contextMax,
    },
    total_slots: slots,
    model_alias: model.name,
    model_ftype: model.quantization,
    model_path: `/models/${model.name}`,
    modalities: { vision: false, video: false, audio: false },
    endpoint_slots: true,
    endpoint_props: false,
    endpoint_metrics: true,
    chat_template: '{{ messages }}',
    build_info: 'b6412-scripted',
    is_sleeping: false,
  }),
  slots: (model: ScriptedModel, slots: number, busy: number) =>
    Array.from({ length: slots }, (_, id) => ({
      id,
      n_ctx: model.loaded?.context ?? model.contextMax,
      speculative: false,
      is_processing: id < busy,
    })),
  metrics: (busy: number, waiting: number) =>
    [
      ['requests_processing', busy],
      ['requests_deferred', waiting],
      ['predicted_tokens_seconds', 0],
    ]
      .map(([name, value]) => `# TYPE llamacpp:${name} gauge\nllamacpp:${name} ${value}\n`)
      .join(''),
  progress: (model: string, processed: number, figures: ChatFigures) =>
    sse({
      ...chunk(model, { role: 'assistant', content: null }, null),
      timings: timings({ ...figures, answerTokens: 0, answerMs: 0 }),
      prompt_progress: {
        total: figures.promptTokens,
        cache: figures.cachedTokens,
        processed,
        time_ms: figures.promptMs,
      },
    }),
  piece: (model: string, kind: 'content' | 'thinking', text: string, figures: ChatFigures) =>
    sse({
      ...chunk(model, kind === 'content' ? { content: text } : { reasoning_content: text }, null),
      timings: timings(figures),
    }),
  end: (model: string, figures: ChatFigures, reason: 'stop' | 'length') =>
    sse(chunk(model, {}, reason)) +
    sse({
      choices: [],
      ...Object.fromEntries(Object.entries(chunk(model, {}, null)).filter(([key]) => key !== 'choices')),
      usage: {
        completion_tokens: figures.answerTokens,
        prompt_tokens: figures.promptTokens,
        total_tokens: figures.promptTokens + figures.answerTokens,
        prompt_tokens_details: { cached_tokens: figures.cachedTokens },
      },
      timings: timings(figures),
    }) +
    'data: [DONE]\n\n',
};
