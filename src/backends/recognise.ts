import type { WholeAnswer } from '../wire/read.js';
import { asArray, asObject, asText, field } from './json.js';

/** Answered by LocalAI, without a key too. */
export const LOCAL_AI_PATH = '/.well-known/localai.json';

/** True for a list of models in the OpenAI dialect, an empty one too. */
export function isModelList(list: WholeAnswer): boolean {
  const data = field(asObject(list.json), 'data');
  return list.status === 200 && (Array.isArray(data) || data === null);
}

/** Who the first model of a list belongs to: most servers name themselves there. */
export function ownerOf(list: WholeAnswer): string | null {
  return asText(field(asObject(asArray(field(asObject(list.json), 'data'))[0]), 'owned_by'));
}

/** The `Server` header; a proxy may have replaced it. */
export function serverHeader(answer: WholeAnswer): string {
  return String(answer.headers.server ?? '');
}

/** By its own page; others answer 200 to any path, with something else. */
export function isLocalAi(answer: WholeAnswer): boolean {
  const page = asObject(answer.json);
  return (
    answer.status === 200 &&
    asText(field(page, 'version')) !== null &&
    asObject(field(page, 'endpoints')) !== null
  );
}

/** The family of llama.cpp, llamafile too: by its header, else by the owner of its model. */
export function isLlamaCppFamily(list: WholeAnswer): boolean {
  return /^llama\.cpp/i.test(serverHeader(list)) || ownerOf(list) === 'llamacpp';
}

export function isPage(answer: WholeAnswer): boolean {
  return (
    /^text\/html/i.test(answer.headers['content-type'] ?? '') || /^\s*<(?:!doctype|html)/i.test(answer.text)
  );
}

/** llamafiler (llamafile 0.9 with `--v2`): by its header, else by the owner of its model. */
export function isLlamafiler(list: WholeAnswer): boolean {
  return /^llamafile\//i.test(serverHeader(list)) || ownerOf(list) === 'llamafile';
}
