import type { ChatMessage } from '../domain/chat.js';
import { wholeText } from '../domain/text.js';
import type { State } from './state.js';

/** What the server gets: the system message, the turns that have an answer and were not left out, the new message. */
export function messagesOf(state: State, text: string): readonly ChatMessage[] {
  const messages: ChatMessage[] = [];
  if (state.settings.system) messages.push({ role: 'system', content: state.settings.system });
  const left = new Set(state.chat.dropped);
  for (const turn of state.chat.done) {
    if (left.has(turn.id)) continue;
    const answer = wholeText(turn.answer);
    if (answer === '') continue;
    messages.push({ role: 'user', content: turn.prompt }, { role: 'assistant', content: answer });
  }
  messages.push({ role: 'user', content: text });
  return messages;
}
