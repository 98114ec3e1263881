import { isLoopback } from '../domain/fit.js';
import type { Model } from '../domain/model.js';
import { isOfOllama, isSameFile } from '../domain/same-file.js';
import { backendById, type BackendEntry, type State } from './state.js';

/** Kinds of servers that run a file which stands under `this machine`, with the names of their programs, the first one first. */
const PROGRAMS: readonly (readonly [kind: string, program: string])[] = [
  ['ollama', 'ollama'],
  ['llama.cpp', 'llama-server'],
];

/** A server of this machine that has the same file now, with its model of it. Null for models of servers themselves. */
export function serverOfSameFile(
  state: State,
  own: Model,
): { readonly entry: BackendEntry; readonly model: Model } | null {
  if (!runsHere(state, own)) return null;
  for (const entry of state.models.backends) {
    const { info, check, cached, models } = entry;
    if (info.kind === 'embedded' || cached || check.status.state === 'away' || !isLoopback(info.url))
      continue;
    const model = models.find((each) => each.chat && !each.remote && isSameFile(own, each));
    if (model) return { entry, model };
  }
  return null;
}

/** Without a server. */
function runsHere(state: State, model: Model): boolean {
  return backendById(state, model.backendId)?.info.kind === 'embedded';
}

/** The installed program that can run this file as it lies here; null: there is none. What is not in its store Ollama does not know. */
function programFor(state: State, own: Model): string | null {
  if (!runsHere(state, own)) return null;
  const able = PROGRAMS.filter(([kind]) => kind !== 'ollama' || isOfOllama(own));
  return able.find(([kind]) => state.models.installed.includes(kind))?.[1] ?? null;
}

/** The program for the files of a server of kind `embedded`, the most preferred one; null: its own engine is what there is. */
export function preferredProgram(state: State, { models }: BackendEntry): string | null {
  const programs = new Set(models.map((model) => programFor(state, model)));
  return PROGRAMS.find(([, program]) => programs.has(program))?.[1] ?? null;
}

const WHY = 'it answers other programs as well, can stay when lmapp ends, and uses the GPU as it was set up';

/** What would better run this file, and why; null: nothing. */
export function preferredWords(state: State, own: Model): string | null {
  const served = serverOfSameFile(state, own);
  if (served) {
    const { info } = served.entry;
    return `${info.title} ${info.url.replace(/^https?:\/\//, '')}, which has the same file: ${WHY}. A second copy in memory is spared.`;
  }
  const program = programFor(state, own);
  return program === null ? null : programWords(program);
}

export function programWords(program: string): string {
  return `${program}, which is installed here: ${WHY}. s on its row starts it; a model that both have is taken from there.`;
}
