import type { ChatMessage } from '../domain/chat.js';
import { wholeText } from '../domain/text.js';
import type { State } from './state.js';

/** What the server gets: the system message, the turns that have an answer, the new message. */
export function messagesOf(state: State, text: string): readonly ChatMessage[] {
  const messages: ChatMessage[] = [];
  if (state.settings.system) messages.push({ role: 'system', content: state.settings.system });
  for (const turn of state.chat.done) {
    const answer = wholeText(turn.answer);
    if (answer === '') continue;
    messages.push({ role: 'user', content: turn.prompt }, { role: 'assistant', content: answer });
  }
  messages.push({ role: 'user', content: text });
  return messages;
}
