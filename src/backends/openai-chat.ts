import type { ChatEvent, ChatRequest } from './backend.js';
import type { BackendWire } from './backend-wire.js';
import { type ChatCall, streamChat } from './chat-stream.js';
import { OpenAiReader } from './openai-reader.js';

/** One request of the OpenAI dialect. `extras` are fields that only this server understands. */
export function openAiChat(
  wire: BackendWire,
  request: ChatRequest,
  extras: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  more: Pick<ChatCall, 'afterSent' | 'whileWaiting'> = {},
): AsyncGenerator<ChatEvent, Extract<ChatEvent, { type: 'ended' }>> {
  const place = wire.place(request.model.name);
  const body = { model: request.model.name, messages: request.messages, stream: true, ...extras };
  return streamChat({
    open: () =>
      wire.openChat('/v1/chat/completions', body, signal, request.firstByteTimeoutMs, request.idleTimeoutMs),
    reader: new OpenAiReader(place),
    wire,
    place,
    signal,
    ...more,
  });
}
