import { faultWords } from '../domain/fault-table.js';
import { NO_SAMPLING, SAMPLING_KEYS, samplingFields } from '../domain/sampling.js';
import type { ChatEvent, ChatRequest } from './backend.js';
import type { BackendWire } from './backend-wire.js';
import { type ChatCall, type Ended, streamChat } from './chat-stream.js';
import { OpenAiReader } from './openai-reader.js';

/** What this dialect calls the parameters of an answer. */
const SAMPLING_NAMES = {
  temperature: 'temperature',
  topP: 'top_p',
  seed: 'seed',
  maxTokens: 'max_tokens',
} as const;

/** One request of the OpenAI dialect. `extras` are fields that only this server understands. */
export async function* openAiChat(
  wire: BackendWire,
  request: ChatRequest,
  extras: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  more: Pick<ChatCall, 'afterSent' | 'whileWaiting' | 'onHead'> = {},
  headers: Readonly<Record<string, string>> = {},
): AsyncGenerator<ChatEvent, Ended> {
  const { firstByteTimeoutMs, idleTimeoutMs } = request;
  const place = wire.place(request.model.name);
  const sampling = samplingFields(request.sampling ?? NO_SAMPLING, SAMPLING_NAMES);
  const body = {
    model: request.model.name,
    messages: request.messages,
    stream: true,
    ...sampling,
    ...extras,
  };
  const ended = yield* streamChat({
    open: () =>
      wire.openChat('/v1/chat/completions', body, signal, firstByteTimeoutMs, idleTimeoutMs, headers),
    reader: new OpenAiReader(place),
    wire,
    place,
    signal,
    ...more,
  });
  return withRefusedSetting(ended, sampling);
}

/** What the user asked for is never left out in silence: a refusal says which setting it is about. */
export function withRefusedSetting(ended: Ended, sampling: Readonly<Record<string, number>>): Ended {
  const field = refusedField(ended, Object.keys(sampling));
  const words = SAMPLING_KEYS.find((each) => SAMPLING_NAMES[each] === field);
  // Of a full context the next step is another one.
  if (ended.fault === null || words === undefined || ended.fault.code === 'context-full') return ended;
  return { ...ended, fault: { ...ended.fault, hint: faultWords('refused-setting', { words }).hint } };
}

/** The first of these fields that a strict server named when it refused a request; null when it was about something else. */
export function refusedField(ended: Ended, fields: readonly string[]): string | null {
  const { fault } = ended;
  if (fault === null || (fault.status !== 400 && fault.status !== 422)) return null;
  return fields.find((name) => new RegExp(`\\b${name}\\b`).test(fault.message)) ?? null;
}
