/**
 * The part of `node-llama-cpp` that the child uses, as it is in the pinned version (install-plan.ts). The package is no dependency: it is
 * imported from where it was installed, and these types stand in for its own.
 */

/** A number of the vocabulary. */
export type Token = number;

export interface LlamaModule {
  getLlama(options: {
    readonly gpu: 'auto' | false;
    readonly build: 'never';
    readonly skipDownload: true;
    readonly progressLogs: false;
    readonly logLevel: 'warn';
    readonly logger: (level: string, message: string) => void;
    readonly maxThreads: number;
  }): Promise<Llama>;
  readonly LlamaChat: new (options: {
    readonly contextSequence: LlamaSequence;
    readonly chatWrapper: ChatWrapper;
  }) => LlamaChat;
  /** Without a type it tries all of them on the model's template, which takes half a second. */
  resolveChatWrapper(model: LlamaModel, options?: { readonly type: string }): ChatWrapper;
  /** By the names of their types. */
  readonly chatWrappers: Readonly<Record<string, new () => ChatWrapper>>;
}

export interface Llama {
  /** `cuda`, `vulkan`, `metal`, or false. */
  readonly gpu: string | false;
  /** Cores that are useful for calculating: physical ones, without those that save power. */
  readonly cpuMathCores: number;
  maxThreads: number;
  loadModel(options: {
    readonly modelPath: string;
    readonly onLoadProgress: (progress: number) => void;
    readonly loadSignal: AbortSignal;
  }): Promise<LlamaModel>;
}

export interface MemoryUsage {
  /** Bytes, estimated by the engine. */
  readonly ram: number;
  readonly vram: number;
}

export interface LlamaModel {
  readonly tokenizer: unknown;
  readonly trainContextSize: number;
  readonly memoryUsage: MemoryUsage;
  createContext(options: {
    readonly contextSize: number;
    readonly threads: number;
    readonly batchSize: number;
    readonly sequences: 1;
    readonly createSignal: AbortSignal;
  }): Promise<LlamaContext>;
  dispose(): Promise<void>;
}

export interface LlamaContext {
  readonly contextSize: number;
  readonly memoryUsage: MemoryUsage;
  getSequence(): LlamaSequence;
  dispose(): Promise<void>;
}

export interface TokenMeterState {
  readonly usedInputTokens: number;
  readonly usedOutputTokens: number;
}

export interface LlamaSequence {
  /** How many tokens are in the context. */
  readonly nextTokenIndex: number;
  readonly tokenMeter: {
    getState(): TokenMeterState;
    diff(before: TokenMeterState): TokenMeterState;
  };
  /** Keeps the longest beginning that is the same, and forgets the rest. */
  adaptStateToTokens(tokens: readonly Token[], allowShift: boolean): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly Token[]): Promise<void>;
}

export type HistoryItem =
  | { readonly type: 'system'; readonly text: string }
  | { readonly type: 'user'; readonly text: string }
  | { readonly type: 'model'; readonly response: readonly string[] };

export interface ResponseChunk {
  /** Absent in the answer itself. */
  readonly type?: 'segment' | undefined;
  /** `thought`, `comment`. */
  readonly segmentType?: string | undefined;
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** Puts a chat into the words of a model's template. */
export interface ChatWrapper {
  readonly settings: unknown;
  generateContextState(options: { readonly chatHistory: readonly HistoryItem[] }): {
    readonly contextText: { tokenize(tokenizer: unknown): readonly Token[] };
  };
}

export interface LlamaChat {
  readonly chatWrapper: ChatWrapper;
  generateResponse(
    history: readonly HistoryItem[],
    options: {
      readonly signal: AbortSignal;
      readonly stopOnAbortSignal: true;
      readonly maxTokens: number;
      readonly temperature: number;
      readonly topK: number;
      readonly topP: number;
      readonly seed?: number;
      readonly minP: number;
      readonly repeatPenalty: false;
      readonly contextShift: { readonly strategy: () => never };
      readonly onResponseChunk: (chunk: ResponseChunk) => void;
    },
  ): Promise<{ readonly metadata: { readonly stopReason: string } }>;
}
