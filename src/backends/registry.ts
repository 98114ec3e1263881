import type { BackendType } from './backend.js';
import { embedded } from './embedded.js';
import { gpt4all } from './gpt4all.js';
import { jan } from './jan.js';
import { litellm } from './litellm.js';
import { llamaCpp } from './llama-cpp.js';
import { llamafile } from './llamafile.js';
import { lmstudio } from './lmstudio.js';
import { localai } from './localai.js';
import { mock } from './mock.js';
import { ollama } from './ollama.js';
import { openai } from './openai.js';
import { vllm } from './vllm.js';

/** Every kind of server. A new one is a file of its own and a line here; its order is the order of looking for servers. */
export const backendTypes: readonly BackendType[] = [
  ollama,
  llamafile,
  localai,
  vllm,
  gpt4all,
  litellm,
  llamaCpp,
  lmstudio,
  jan,
  openai,
  embedded,
  mock,
];

/** Null for a kind that nobody knows. */
export function backendTypeOf(kind: string): BackendType | null {
  return backendTypes.find((type) => type.kind === kind) ?? null;
}
