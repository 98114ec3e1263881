import { EXIT, LmappError } from '../errors.js';
import type { Command, CommandContext } from './command.js';
import {
  checkEmbedded,
  DEBUG_OPTION,
  EMBEDDED_OPTION,
  FALLBACK_OPTION,
  isOn,
  MODEL_OPTION,
  SAMPLING_OPTIONS,
  SERVER_OPTIONS,
} from './options.js';

export const chat: Command = {
  name: 'chat',
  words: { name: 'text', does: 'the message; - stands for what comes from standard input' },
  does: 'Asks once and prints the answer, and nothing else, on standard output.',
  options: [
    MODEL_OPTION,
    ...SERVER_OPTIONS,
    EMBEDDED_OPTION,
    FALLBACK_OPTION,
    { name: 'system', type: 'string', takes: 'TEXT', does: 'system message' },
    ...SAMPLING_OPTIONS,
    { name: 'json', type: 'boolean', does: 'print every event as a line of JSON (docs/models.md)' },
    DEBUG_OPTION,
  ],
  examples: [
    ['lmapp chat "Why is the sky blue?"', 'one question, one answer'],
    ['lmapp chat --embedded "Hello"', 'by a model of this machine; what is missing is fetched'],
    ['git diff | lmapp chat "Review this:" -', 'with standard input'],
  ],
  async run(context, args) {
    checkEmbedded(args, ['mock', 'url']);
    const text = await messageFrom(context, args.words);
    const { answerOnce } = await import('./answer-once.js');
    return answerOnce(context, args, text, isOn(args, 'json'));
  },
};

async function messageFrom({ stdin }: CommandContext, words: readonly string[]): Promise<string> {
  // Beside a text, standard input is read only when it is asked for: in scripts it is often open and silent for ever.
  const wantsInput = words.includes('-') || (words.length === 0 && !stdin.isTTY);
  const input = wantsInput ? (await readAll(stdin)).trimEnd() : '';
  const text = words.length === 0 ? input : textWith(words, input);
  if (text.trim() !== '') return text;
  throw new LmappError('usage', wantsInput ? 'the message is empty' : 'there is no message', {
    hint: 'lmapp chat "Your question", or: lmapp chat < FILE',
    exitCode: EXIT.usage,
  });
}

/** Words are joined by spaces, as a shell's echo does it; the input stands apart. */
function textWith(words: readonly string[], input: string): string {
  const at = words.indexOf('-');
  if (at === -1) return words.join(' ');
  const parts = [words.slice(0, at).join(' '), input, words.slice(at + 1).join(' ')];
  return parts.filter((part) => part !== '').join('\n\n');
}

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
