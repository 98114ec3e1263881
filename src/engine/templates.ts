import fs from 'node:fs';
import { writeAtomically } from '../files.js';
import type { ChatWrapper, HistoryItem, LlamaModel, LlamaModule } from './llama.js';

/** Which of the engine's forms of a chat suits a model, so that a later load need not try them all. */
export interface Templates {
  /** The wrapper of a model file, as it was found out before, or found out now. */
  wrapperOf(path: string, model: LlamaModel): ChatWrapper;
}

/** The model's own template, as its file has it. */
const OWN = 'jinjaTemplate';
/**
 * Forms of a whole family. They are taken for a template that is like them but for a first message that it adds by itself, and begin with a
 * token that it may not want: with one of these SmolLM2 hardly understands a question.
 */
const FAMILIES: ReadonlySet<string> = new Set(['general', 'chatML']);
const MOST = 200;
const LARGEST_FILE = 200_000;
const TRIAL: readonly HistoryItem[] = [
  { type: 'user', text: 'a' },
  { type: 'model', response: [] },
];
/** What was found out by another rule is found out again. */
const RULE = 2;

/** `file`: where it is kept; null: nowhere. What cannot be read or written is found out again. */
export function openTemplates(
  { chatWrappers, resolveChatWrapper }: Pick<LlamaModule, 'chatWrappers' | 'resolveChatWrapper'>,
  file: string | null,
): Templates {
  const known = readKnown(file);
  return {
    wrapperOf(path, model) {
      const key = keyOf(path);
      const type = key === null ? undefined : known.get(key);
      if (type !== undefined && Object.hasOwn(chatWrappers, type)) return resolveChatWrapper(model, { type });
      const wrapper = ownRather(model, resolveChatWrapper(model));
      const found = typeOf(wrapper);
      if (key !== null && found !== null) keep(key, found);
      return wrapper;
    },
  };

  /** The model's own template where the engine found no more than a family; what it found where there is none, or it cannot be read. */
  function ownRather(model: LlamaModel, wrapper: ChatWrapper): ChatWrapper {
    const type = Object.keys(chatWrappers).find((name) => wrapper.constructor === chatWrappers[name]);
    if (type === undefined || !FAMILIES.has(type) || !Object.hasOwn(chatWrappers, OWN)) return wrapper;
    try {
      const own = resolveChatWrapper(model, { type: OWN });
      own.generateContextState({ chatHistory: TRIAL });
      return own;
    } catch {
      return wrapper;
    }
  }

  /** Null: it is none that its type alone makes. */
  function typeOf(wrapper: ChatWrapper): string | null {
    const type = Object.keys(chatWrappers).find((name) => wrapper.constructor === chatWrappers[name]);
    const Wrapper = type === undefined ? undefined : chatWrappers[type];
    if (type === undefined || !Wrapper) return null;
    // It takes the template of whatever model it is for.
    if (type === OWN) return type;
    try {
      // Some are made with options for one model, others cannot be made without any.
      return JSON.stringify(new Wrapper()) === JSON.stringify(wrapper) ? type : null;
    } catch {
      return null;
    }
  }

  function keep(key: string, type: string): void {
    known.set(key, type);
    if (file === null) return;
    try {
      writeAtomically(file, JSON.stringify(Object.fromEntries([...known].slice(-MOST))));
    } catch {
      // A full or read-only disk.
    }
  }
}

function readKnown(file: string | null): Map<string, string> {
  try {
    if (file === null || fs.statSync(file).size > LARGEST_FILE) return new Map();
    const told: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
    if (typeof told !== 'object' || told === null) return new Map();
    return new Map(
      Object.entries(told).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    );
  } catch {
    return new Map();
  }
}

/** Another file under the same name is another key. */
function keyOf(path: string): string | null {
  try {
    const { size, mtimeMs } = fs.statSync(path);
    return `${RULE} ${path} ${size} ${mtimeMs}`;
  } catch {
    return null;
  }
}
