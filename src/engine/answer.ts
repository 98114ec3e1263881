import type { ChatMessage } from '../domain/chat.js';
import { fits } from '../domain/context-room.js';
import { samplingFields } from '../domain/sampling.js';
import type { HistoryItem, LlamaChat, LlamaContext, LlamaModel, LlamaSequence, Token } from './llama.js';
import type { EngineCommand, EngineReport } from './protocol.js';

/** A model with its context; one conversation at a time. */
export interface LoadedModel {
  readonly model: LlamaModel;
  readonly context: LlamaContext;
  readonly sequence: LlamaSequence;
  readonly chat: LlamaChat;
  /** So many tokens of the prompt are read at once; in between, the progress is told and a cancel is heeded. */
  readonly sliceTokens: number;
  /** Called all the time while it calculates, so that the number of threads suits what else is running. */
  readonly keepPace: (begins: boolean) => void;
}

/** The engine wants room for one more token than it will write. */
const SPARE_TOKENS = 1;
/** As llama.cpp's own server has them when a request names none. */
const DEFAULTS = { temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05, repeatPenalty: false } as const;

const OPTION_NAMES = { temperature: 'temperature', topP: 'topP', seed: 'seed' } as const;

/** A chat: counts, reads what is new of the prompt, and writes the answer. Reports its progress; the last report is returned. */
export async function answer(
  { chat, context, sequence, model, sliceTokens, keepPace }: LoadedModel,
  { id, messages, continues, keepsRoom, sampling }: Extract<EngineCommand, { type: 'chat' }>,
  report: (report: EngineReport) => void,
  signal: AbortSignal,
): Promise<EngineReport> {
  const history = historyOf(messages, continues);
  const tokens = tokensOf(chat, model, history);
  const room = context.contextSize - tokens.length - SPARE_TOKENS;
  if (room < 1 || (keepsRoom && !fits(tokens.length, context.contextSize, sampling.maxTokens)))
    return {
      type: 'failed',
      id,
      failure: 'context-full',
      words: '',
      promptTokens: tokens.length,
      contextTokens: context.contextSize,
    };
  const meter = sequence.tokenMeter.getState();
  const started = performance.now();
  await sequence.adaptStateToTokens(tokens, false);
  // The last token is always read anew: what comes next is picked from what it yields.
  const last = tokens.length - 1;
  const cached = Math.min(sequence.nextTokenIndex, last);
  report({ type: 'prefill', id, processed: cached, total: tokens.length, cached });
  keepPace(true);
  for (let at = cached; at < last; at += sliceTokens) {
    if (signal.aborted) return { type: 'cancelled', id };
    const slice = tokens.slice(at, Math.min(at + sliceTokens, last));
    await sequence.evaluateWithoutGeneratingNewTokens(slice);
    keepPace(false);
    report({ type: 'prefill', id, processed: at + slice.length, total: tokens.length, cached });
  }
  if (signal.aborted) return { type: 'cancelled', id };
  let firstAt: number | null = null;
  let full = false;
  const reason = await chat
    .generateResponse(history, {
      ...DEFAULTS,
      ...samplingFields(sampling, OPTION_NAMES),
      signal,
      stopOnAbortSignal: true,
      maxTokens: Math.min(room, sampling.maxTokens ?? room),
      // Forgetting the beginning in silence is what other engines do; here the answer ends, and says why.
      contextShift: {
        strategy: () => {
          full = true;
          throw new Error('the context is full');
        },
      },
      onResponseChunk({ type, text, tokens: written }) {
        firstAt ??= performance.now();
        keepPace(false);
        if (text !== '' || written.length > 0)
          report({ type: 'piece', id, thinking: type === 'segment', text, tokens: written.length });
      },
    })
    .then(
      ({ metadata }) => metadata.stopReason,
      (error: unknown) => {
        if (signal.aborted) return 'abort';
        if (full) return 'maxTokens';
        throw error;
      },
    );
  if (signal.aborted || reason === 'abort') return { type: 'cancelled', id };
  const ended = performance.now();
  const { usedOutputTokens } = sequence.tokenMeter.diff(meter);
  return {
    type: 'answered',
    id,
    reason: reason === 'maxTokens' ? 'length' : 'stop',
    promptTokens: tokens.length,
    cachedTokens: cached,
    answerTokens: usedOutputTokens,
    promptMs: (firstAt ?? ended) - started,
    answerMs: firstAt === null ? 0 : ended - firstAt,
    memoryBytes: process.memoryUsage.rss(),
  };
}

/** Exactly what these messages take in the model's own template, with the beginning of its answer. */
function tokensOf(chat: LlamaChat, model: LlamaModel, chatHistory: readonly HistoryItem[]): readonly Token[] {
  return chat.chatWrapper.generateContextState({ chatHistory }).contextText.tokenize(model.tokenizer);
}

/** The engine wants the answer, still empty, as the last item. */
function historyOf(messages: readonly ChatMessage[], continues: boolean): readonly HistoryItem[] {
  const items = messages.map(({ role, content }): HistoryItem =>
    role === 'assistant' ? { type: 'model', response: [content] } : { type: role, text: content },
  );
  return continues && items.at(-1)?.type === 'model' ? items : [...items, { type: 'model', response: [] }];
}
