import type { State } from './state.js';

/** Kinds of servers that run the files which stand under `this machine`, with the names of their programs, the first one first. */
const PROGRAMS: readonly (readonly [kind: string, program: string])[] = [
  ['ollama', 'ollama'],
  ['llama.cpp', 'llama-server'],
];

/** The program of a real server that is installed here; null: there is none, and lmapp's own engine is what there is. */
export function preferredServer(state: State): string | null {
  return PROGRAMS.find(([kind]) => state.models.installed.includes(kind))?.[1] ?? null;
}

/** Why, as the value of a line of details. */
export function preferredWords(program: string): string {
  return `${program}, which is installed here: it answers other programs as well, can stay when lmapp ends, and uses the GPU as it was set up. s on its row starts it; a model that both have is taken from there.`;
}
