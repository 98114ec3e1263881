import type { ChatEvent, ChatRequest } from './backend.js';
import type { BackendWire } from './backend-wire.js';
import { type ChatCall, type Ended, streamChat } from './chat-stream.js';
import { OpenAiReader } from './openai-reader.js';

/** One request of the OpenAI dialect. `extras` are fields that only this server understands. */
export function openAiChat(
  wire: BackendWire,
  request: ChatRequest,
  extras: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  more: Pick<ChatCall, 'afterSent' | 'whileWaiting' | 'onHead'> = {},
  headers: Readonly<Record<string, string>> = {},
): AsyncGenerator<ChatEvent, Ended> {
  const { firstByteTimeoutMs, idleTimeoutMs } = request;
  const place = wire.place(request.model.name);
  const body = { model: request.model.name, messages: request.messages, stream: true, ...extras };
  return streamChat({
    open: () =>
      wire.openChat('/v1/chat/completions', body, signal, firstByteTimeoutMs, idleTimeoutMs, headers),
    reader: new OpenAiReader(place),
    wire,
    place,
    signal,
    ...more,
  });
}

/** The first of these fields that a strict server named when it refused a request; null when it was about something else. */
export function refusedField(ended: Ended, fields: readonly string[]): string | null {
  const { fault } = ended;
  if (fault === null || (fault.status !== 400 && fault.status !== 422)) return null;
  return fields.find((name) => new RegExp(`\\b${name}\\b`).test(fault.message)) ?? null;
}
