import type { ChatMessage, Role } from '../domain/chat.js';
import { readSampling } from '../domain/sampling.js';
import type { EngineCommand, EngineFailure, EngineReport } from './protocol.js';

const LONGEST_NAME = 4096;
const LONGEST_WORDS = 2000;
/** A piece is a token; held-back ones may come together. */
const LONGEST_PIECE = 1 << 20;
const MOST_MESSAGES = 100_000;
const ROLES: readonly Role[] = ['system', 'user', 'assistant'];
const FAILURES: readonly EngineFailure[] = [
  'engine',
  'out-of-memory',
  'model',
  'not-loaded',
  'context-full',
  'failed',
];

/** Null: it is none. */
export function checkedCommand(told: unknown): EngineCommand | null {
  const read = readerOf(told);
  const id = read?.count('id') ?? null;
  if (!read || id === null || id === 0) return null;
  const model = read.name('model');
  switch (read.name('type')) {
    case 'start': {
      const module = read.name('module');
      return module
        ? {
            type: 'start',
            id,
            module,
            templates: read.name('templates'),
            threads: read.count('threads'),
            gpu: read.flag('gpu'),
          }
        : null;
    }
    case 'load': {
      const path = read.name('path');
      const contextTokens = read.count('contextTokens');
      return model && path && contextTokens ? { type: 'load', id, model, path, contextTokens } : null;
    }
    case 'unload':
      return model ? { type: 'unload', id, model } : null;
    case 'chat': {
      const messages = checkedMessages(read.raw('messages'));
      return model && messages
        ? {
            type: 'chat',
            id,
            model,
            messages,
            continues: read.flag('continues'),
            keepsRoom: read.flag('keepsRoom'),
            sampling: readSampling(read.raw('sampling')),
          }
        : null;
    }
    case 'status':
      return { type: 'status', id };
    case 'cancel':
      return { type: 'cancel', id };
    default:
      return null;
  }
}

/** Null: it is none. */
export function checkedReport(told: unknown): EngineReport | null {
  const read = readerOf(told);
  const id = read?.count('id') ?? null;
  if (!read || id === null) return null;
  const type = read.name('type');
  if (type === 'log') {
    const text = read.text('text', LONGEST_WORDS);
    return text ? { type, id: 0, level: read.raw('level') === 'error' ? 'error' : 'warn', text } : null;
  }
  switch (type) {
    case 'started': {
      const threads = read.count('threads');
      return threads === null ? null : { type, id, gpu: read.name('gpu'), threads };
    }
    case 'queued':
      return whole({ type, id, position: read.count('position') });
    case 'loading':
      return whole({ type, id, progress: read.share('progress') });
    case 'loaded':
      return whole({
        type,
        id,
        contextTokens: read.count('contextTokens'),
        contextMax: read.count('contextMax'),
        memoryBytes: read.count('memoryBytes'),
        vramBytes: read.count('vramBytes'),
        ms: read.amount('ms'),
      });
    case 'unloaded':
    case 'cancelled':
      return { type, id };
    case 'prefill':
      return whole({
        type,
        id,
        processed: read.count('processed'),
        total: read.count('total'),
        cached: read.count('cached'),
      });
    case 'piece':
      return whole({
        type,
        id,
        thinking: read.flag('thinking'),
        text: read.text('text', LONGEST_PIECE),
        tokens: read.count('tokens'),
      });
    case 'answered':
      return whole({
        type,
        id,
        reason: read.raw('reason') === 'length' ? ('length' as const) : ('stop' as const),
        promptTokens: read.count('promptTokens'),
        cachedTokens: read.count('cachedTokens'),
        answerTokens: read.count('answerTokens'),
        promptMs: read.amount('promptMs'),
        answerMs: read.amount('answerMs'),
        memoryBytes: read.count('memoryBytes'),
      });
    case 'status':
      return whole({ type, id, memoryBytes: read.count('memoryBytes') });
    case 'failed':
      return {
        type,
        id,
        failure: FAILURES.find((each) => each === read.raw('failure')) ?? 'failed',
        words: read.text('words', LONGEST_WORDS) ?? '',
        promptTokens: read.count('promptTokens'),
        contextTokens: read.count('contextTokens'),
      };
    default:
      return null;
  }
}

function checkedMessages(told: unknown): readonly ChatMessage[] | null {
  if (!Array.isArray(told) || told.length > MOST_MESSAGES) return null;
  const messages: ChatMessage[] = [];
  for (const each of told) {
    const read = readerOf(each);
    const role = ROLES.find((known) => known === read?.raw('role'));
    const content = read?.raw('content');
    if (!role || typeof content !== 'string') return null;
    messages.push({ role, content });
  }
  return messages;
}

/** Null when a part is missing. */
function whole<T extends object>(report: T): { readonly [K in keyof T]: Exclude<T[K], null> } | null {
  if (Object.values(report).includes(null)) return null;
  return report as { readonly [K in keyof T]: Exclude<T[K], null> };
}

interface FieldReader {
  raw(name: string): unknown;
  /** Not empty and not too long, or null: a name or a path that was cut would be another one. */
  name(name: string): string | null;
  /** Cut to `longest`; null when it is none. */
  text(name: string, longest: number): string | null;
  /** A whole number from 0. */
  count(name: string): number | null;
  /** A number from 0. */
  amount(name: string): number | null;
  share(name: string): number | null;
  flag(name: string): boolean;
}

function readerOf(told: unknown): FieldReader | null {
  if (typeof told !== 'object' || told === null) return null;
  const raw = (name: string): unknown => (told as Readonly<Record<string, unknown>>)[name];
  const amount = (name: string): number | null => {
    const value = raw(name);
    return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
  };
  return {
    raw,
    amount,
    name(name) {
      const value = raw(name);
      return typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME ? value : null;
    },
    text(name, longest) {
      const value = raw(name);
      return typeof value === 'string' ? value.slice(0, longest) : null;
    },
    count(name) {
      const value = amount(name);
      return value !== null && Number.isSafeInteger(value) ? value : null;
    },
    share(name) {
      const value = amount(name);
      return value === null ? null : Math.min(value, 1);
    },
    flag: (name) => raw(name) === true,
  };
}
