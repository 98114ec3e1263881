import fs from 'node:fs';
import { writeAtomically } from '../files.js';
import type { ChatWrapper, LlamaModel, LlamaModule } from './llama.js';

/** Which of the engine's forms of a chat suits a model, so that a later load need not try them all. */
export interface Templates {
  /** The wrapper of a model file, as it was found out before, or found out now. */
  wrapperOf(path: string, model: LlamaModel): ChatWrapper;
}

const MOST = 200;
const LARGEST_FILE = 200_000;

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
      const wrapper = resolveChatWrapper(model);
      const found = typeOf(wrapper);
      if (key !== null && found !== null) keep(key, found);
      return wrapper;
    },
  };

  /** Null: it is none that its type alone makes. */
  function typeOf(wrapper: ChatWrapper): string | null {
    const type = Object.keys(chatWrappers).find((name) => wrapper.constructor === chatWrappers[name]);
    const Wrapper = type === undefined ? undefined : chatWrappers[type];
    if (type === undefined || !Wrapper) return null;
    // It takes the template of whatever model it is for.
    if (type === 'jinjaTemplate') return type;
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
    return `${path} ${size} ${mtimeMs}`;
  } catch {
    return null;
  }
}
