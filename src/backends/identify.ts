import type { Fault } from '../domain/fault.js';
import type { WholeAnswer } from '../wire/read.js';
import { fault } from '../wire/wire-error.js';
import { type BackendAddress, BackendError, type BackendPorts, type BackendType } from './backend.js';
import { BackendWire, ASK_TIMEOUT_MS } from './backend-wire.js';
import { asArray, asObject, asText, field } from './json.js';
import { webPage } from './openai-reader.js';
import { backendTypes } from './registry.js';

/** A server that was found. */
export interface FoundBackend {
  readonly kind: string;
  readonly url: string;
}

/** On loopback a server that is there answers in a few milliseconds. */
const DISCOVERY_TIMEOUT_MS = 300;

/**
 * Tells the kind of a server by the shape of its answers: never by a status alone, since portals and proxies answer 200 to anything.
 * Throws BackendError when nothing answers or it is no model server.
 */
export async function identify(
  address: BackendAddress,
  signal: AbortSignal,
  ports: BackendPorts,
  timeoutMs = ASK_TIMEOUT_MS,
): Promise<string> {
  const wire = new BackendWire(address, ports, { kind: '', title: 'The server', startCommand: '' });
  try {
    const list = await wire.ask({ path: '/v1/models', signal, timeoutMs });
    const verdict = verdictOf(list);
    if (verdict !== null) return verdict;
    const version = await wire.ask({ path: '/api/version', signal, timeoutMs });
    if (isOllamaVersion(version) && !(await isLocalAi(wire, signal, timeoutMs))) return 'ollama';
    if (isModelList(list) || isApiRefusal(list)) return 'openai';
    throw new BackendError(isPage(list) ? webPage() : notAServer(address.url, list.status));
  } finally {
    wire.close();
  }
}

/** Looks at the default ports of this machine, all at once. Ports where nothing answers are left out. */
export async function discover(
  signal: AbortSignal,
  ports: BackendPorts,
  types: readonly BackendType[] = backendTypes,
): Promise<readonly FoundBackend[]> {
  const places = types.flatMap((type) => type.defaultPorts.map((port) => `http://127.0.0.1:${port}`));
  const found = await Promise.all(
    [...new Set(places)].map(async (url): Promise<FoundBackend | null> => {
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(DISCOVERY_TIMEOUT_MS)]);
        return { kind: await identify({ url, key: null }, limit, ports), url };
      } catch {
        return null;
      }
    }),
  );
  return found.filter((entry) => entry !== null);
}

/** What the list of models alone proves; null when one more question is needed. */
function verdictOf(list: WholeAnswer): string | null {
  const server = String(list.headers.server ?? '');
  if (/^llama\.cpp/i.test(server)) return 'llama.cpp';
  const first = asObject(asArray(field(asObject(list.json), 'data'))[0]);
  const owner = asText(field(first, 'owned_by'));
  // A proxy may have replaced the header.
  if (owner === 'llamacpp') return 'llama.cpp';
  const known =
    owner === 'vllm' ||
    owner === 'humanity' ||
    owner === 'llamafile' ||
    field(first, 'max_model_len') !== undefined;
  const liteLlm = Object.keys(list.headers).some((name) => name.startsWith('x-litellm-'));
  return known || liteLlm ? 'openai' : null;
}

function isOllamaVersion(answer: WholeAnswer): boolean {
  return answer.status === 200 && asText(field(asObject(answer.json), 'version')) !== null;
}

/** LocalAI answers the questions of Ollama too. */
async function isLocalAi(wire: BackendWire, signal: AbortSignal, timeoutMs: number): Promise<boolean> {
  const answer = await wire.ask({ path: '/.well-known/localai.json', signal, timeoutMs });
  return answer.status === 200 && asObject(answer.json) !== null;
}

function isModelList(list: WholeAnswer): boolean {
  const body = asObject(list.json);
  return (
    list.status === 200 &&
    body !== null &&
    (Array.isArray(field(body, 'data')) || field(body, 'data') === null)
  );
}

/** A server that wants a key: the check will say so. */
function isApiRefusal(list: WholeAnswer): boolean {
  return (list.status === 401 || list.status === 403) && !isPage(list);
}

function isPage(answer: WholeAnswer): boolean {
  return (
    /^text\/html/i.test(answer.headers['content-type'] ?? '') || /^\s*<(?:!doctype|html)/i.test(answer.text)
  );
}

function notAServer(url: string, status: number): Fault {
  return fault(
    'not-a-server',
    `There is no model server at ${url}.`,
    'Check the address and its path.',
    status,
  );
}
