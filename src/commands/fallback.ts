import { findModel } from '../domain/find-model.js';
import { MOCK_MODEL } from '../domain/model.js';
import { nearestNames } from '../domain/names.js';
import type { Choice } from './choose-model.js';
import type { AskedServer } from './find-backends.js';

export interface FallbackOptions {
  /** The names of the setting. */
  readonly names: readonly string[];
  readonly servers: readonly AskedServer[];
  readonly mock: () => Promise<AskedServer>;
  /** Told of a name that no server has. */
  readonly onUnknown: (text: string) => void;
}

export interface FallbackList {
  /** The next model that was not asked yet; null when there is none. */
  next(asked: Choice | null): Promise<Choice | null>;
}

/** The models that are asked one after the other when an answer cannot start; each once. */
export function createFallback({ names, servers, mock, onUnknown }: FallbackOptions): FallbackList {
  const tried = new Set<string>();
  const left = [...names];

  async function choiceOf(name: string): Promise<Choice | null> {
    const from = name === MOCK_MODEL.name ? [await mock()] : servers;
    const all = from.flatMap(({ models }) => models);
    const model = findModel(all, name);
    const server = from.find(({ models }) => model !== null && models.includes(model));
    if (model && server) return { model, server };
    const near = nearestNames(
      name.slice(name.indexOf('/') + 1),
      all.map(({ label }) => label),
    );
    const hint = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
    onUnknown(`fallback: no server has the model ${name} now${hint}`);
    return null;
  }

  return {
    async next(asked) {
      if (asked) tried.add(asked.model.key);
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        const choice = await choiceOf(name);
        if (!choice || tried.has(choice.model.key) || !choice.model.chat) continue;
        return choice;
      }
      return null;
    },
  };
}

/** `qwen3:8b on ollama`. */
export function nameOf({ model, server }: Choice): string {
  return `${model.label} on ${server.title}`;
}
