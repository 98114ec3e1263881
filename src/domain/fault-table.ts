import { DOWNLOAD_FAULTS } from './download-faults.js';
import type { Fault, FaultCode } from './fault.js';

/** A message about a server, and the next step. `{…}` is filled in from FaultValues; `[…]` is left out when its value is not known. */
export interface FaultEntry {
  readonly code: FaultCode;
  /** One sentence: what happened, in the server's own words (`{words}`) where it has some. */
  readonly message: string;
  /** One sentence: what to do. */
  readonly hint: string;
  /** What to do with servers of one kind, where that is something else. */
  readonly of?: Readonly<Record<string, string>>;
}

/**
 * `place`: the address; `title`, `start`, `log`: name, start command and place of the log of a kind of server; `model`: its name; `words`:
 * what the server or the system said, sanitised; `status`: of HTTP.
 */
export type FaultValues = Readonly<
  Partial<Record<'place' | 'kind' | 'title' | 'start' | 'log' | 'model' | 'words' | 'status', string>>
>;

const AGAIN = 'Ask again; when it stays so, look into the log of {title}[: {log}].';
const LOG = 'Look into the log of {title}[: {log}].';
const PULL_AGAIN = 'Pull it again: it goes on from where it stopped.';

/** Every message about a server. docs/troubleshooting.md is made of it, and a test raises each of them through a real socket. */
export const FAULTS = {
  // Nobody is reached
  refused: {
    code: 'not-running',
    message: 'Nothing listens at {place}.',
    hint: 'Start the server or check the address.',
  },
  'not-started': {
    code: 'not-running',
    message: '{title} is not running at {place}.',
    hint: 'Start it with: {start}',
  },
  'no-route': {
    code: 'not-running',
    message: 'There is no route to {place}.',
    hint: 'Check the address and the network, and whether that machine is on.',
  },
  'unknown-host': {
    code: 'not-running',
    message: 'The host name of {place} is not known.',
    hint: 'Check the spelling of the address.',
  },
  'no-connection': {
    code: 'not-running',
    message: 'No connection to {place} in time.',
    hint: 'Check the address and the network; the setting "connectTimeoutS" tells how long to wait.',
  },
  'not-connected': {
    code: 'broken',
    message: 'The connection to {place} failed: {words}.',
    hint: 'Check the address and the network.',
  },
  // Somebody else is reached
  untrusted: {
    code: 'not-a-server',
    message: 'The certificate of {place} is not trusted ({words}).',
    hint: 'To accept it, name its authority in the variable NODE_EXTRA_CA_CERTS.',
  },
  'no-tls': {
    code: 'not-a-server',
    message: '{place} does not speak TLS.',
    hint: 'Try the address with http:// instead of https://.',
  },
  'is-tls': {
    code: 'not-a-server',
    message: '{place} speaks TLS.',
    hint: 'Try the address with https:// instead of http://.',
  },
  'no-http': {
    code: 'not-a-server',
    message: 'There is no HTTP server at {place}.',
    hint: 'Check the port of the address.',
  },
  'redirect-nowhere': {
    code: 'not-a-server',
    message: '{place} answers with a redirect to nowhere.',
    hint: 'Check the address.',
  },
  'redirect-elsewhere': {
    code: 'not-a-server',
    message: '{place} redirects to {words}.',
    hint: 'If that is the right server, use its address.',
  },
  'redirect-circle': {
    code: 'not-a-server',
    message: '{place} redirects in a circle.',
    hint: 'Check the address.',
  },
  'web-page': {
    code: 'not-a-server',
    message: 'This is a web page, not a model server.',
    hint: 'Check the address and its path.',
  },
  'no-model-server': {
    code: 'not-a-server',
    message: 'There is no model server at {place}[: {words}].',
    hint: 'Check the address and its path.',
  },
  'empty-answer': {
    code: 'not-a-server',
    message: 'The server sent an empty answer.',
    hint: 'Check the address and its path.',
  },
  'no-json': {
    code: 'not-a-server',
    message: 'The server sent an answer that is no JSON.',
    hint: 'Check the address and its path.',
  },
  'other-answer': {
    code: 'not-a-server',
    message: '{title} at {place} answered with something else than its models.',
    hint: 'Check the address and the kind of the server.',
  },
  'no-ollama-stream': {
    code: 'not-a-server',
    message: 'This is not an Ollama stream: {words}',
    hint: 'Check the address and the kind of the server.',
  },
  // The connection
  'no-first-byte': {
    code: 'timeout',
    message: '{place} did not begin to answer in time.',
    hint: 'It may load a model or be at work: wait, or raise the setting "firstByteTimeoutS".',
  },
  silent: {
    code: 'timeout',
    message: '{place} fell silent in the middle of its answer.',
    hint: 'Ask again; the setting "idleTimeoutS" tells how long a silence may be.',
  },
  slow: {
    code: 'timeout',
    message: '{place} did not answer in time.',
    hint: 'It may be at work: wait. The settings "checkTimeoutS" and "listTimeoutS" tell how long an answer may take.',
  },
  closed: { code: 'broken', message: '{place} closed the connection without an answer.', hint: AGAIN },
  cut: {
    code: 'broken',
    message: 'The connection was closed by the server in the middle of the answer.',
    hint: AGAIN,
  },
  damaged: { code: 'broken', message: 'The answer of {place} is damaged ({words}).', hint: AGAIN },
  'damaged-compression': {
    code: 'broken',
    message: 'The compressed answer of the server is damaged.',
    hint: 'Turn off compression in the proxy in front of it.',
  },
  'unknown-compression': {
    code: 'unsupported',
    message: 'The server sends its answer in an unsupported encoding ({words}).',
    hint: 'Turn off compression in the proxy in front of it.',
  },
  'too-long': {
    code: 'server-error',
    message: 'The answer of the server is too long.',
    hint: 'Check the address: lists of models are shorter.',
  },
  'line-too-long': {
    code: 'server-error',
    message: 'The server sent a line that is too long.',
    hint: AGAIN,
  },
  // Keys and permissions
  key: {
    code: 'unauthorized',
    message: 'The key for {title} is missing or wrong.',
    hint: 'Give its key: with a in the models pane, or lmapp backends add {place} --key-env NAME',
  },
  'key-characters': {
    code: 'unauthorized',
    message: 'The key for {place} holds a character that cannot be sent.',
    hint: 'Give the key anew, without quotation marks and line breaks.',
  },
  'sign-in': {
    code: 'unauthorized',
    message: 'This cloud model needs a sign-in.',
    hint: 'Sign in at {words}',
  },
  'host-refused': {
    code: 'forbidden',
    message: '{title} refuses this host name.',
    hint: 'Use 127.0.0.1, or allow the name on the server.',
  },
  forbidden: {
    code: 'forbidden',
    message: '{words}',
    hint: 'Check what the key may do, and which hosts the server allows.',
    of: { jan: 'Ask it as 127.0.0.1, or add this host to the trusted hosts of Jan’s Local API Server.' },
  },
  // Models
  'unknown-model': {
    code: 'unknown-model',
    message: '{title} does not know the model {model}.',
    hint: 'Choose another model.',
    of: {
      ollama: 'Pull it with: ollama pull {model}',
      vllm: 'Choose another model: vLLM serves only those that it was started with.',
      litellm: 'Choose another model, or add it to model_list in the configuration of LiteLLM.',
    },
  },
  'unknown-model-told': { code: 'unknown-model', message: '{words}', hint: 'Choose another model.' },
  'context-full': {
    code: 'context-full',
    message: '{words}',
    hint: 'Shorten the message, start a new chat, or give the model a larger context.',
    of: {
      vllm: 'Shorten the message, start a new chat, or start vLLM with a larger --max-model-len.',
      litellm: 'Shorten the message, start a new chat, or give the model behind LiteLLM a larger context.',
      embedded: 'Shorten the message, start a new chat, or choose a larger context.',
    },
  },
  'context-held': {
    code: 'context-full',
    message: 'Not sent: {words}',
    hint: 'Shorten the message, start a new chat, or give the model a larger context.',
  },
  'out-of-memory': {
    code: 'out-of-memory',
    message: 'Not enough memory: {words}',
    hint: 'Unload another model or choose a smaller one.',
    of: {
      vllm: 'Start vLLM with a smaller --max-model-len or another --gpu-memory-utilization.',
      lmstudio:
        'Unload another model, choose a smaller context, or relax the loading guardrails in the settings of LM Studio.',
    },
  },
  loading: {
    code: 'loading',
    message: '{title} is still loading its model.',
    hint: 'Wait until it is loaded.',
  },
  unsupported: { code: 'unsupported', message: '{words}', hint: 'Choose another model, or another server.' },
  'load-timeout': {
    code: 'timeout',
    message: '{model} was not loaded in time.',
    hint: 'It may still come; look into the log of {title}[: {log}].',
  },
  'load-failed': {
    code: 'server-error',
    message: 'The load of {model} failed{words}.',
    hint: 'Often memory is short: unload another model, or look into the log of {title}[: {log}].',
  },
  'one-model': {
    code: 'unsupported',
    message: 'This {title} server holds one model and cannot {words}.',
    hint: 'Start llama-server without a model to get a router.',
    of: { llamafile: 'Start another llamafile, or one of 0.10 with --models-dir.' },
  },
  // What the server tells
  busy: { code: 'busy', message: '{words}', hint: 'Ask again later.' },
  'queue-full': {
    code: 'busy',
    message: '{words}',
    hint: 'The queue of the server is full: ask again later.',
  },
  'unknown-endpoint': {
    code: 'unknown-endpoint',
    message: '{title} does not offer this (status {status}).',
    hint: 'Check the path of the address; a newer version of the server may offer it.',
  },
  'server-error': { code: 'server-error', message: '{words}', hint: LOG },
  'refused-setting': {
    code: 'server-error',
    message: 'The server refuses the setting {words}.',
    hint: 'Give the setting {words} another value, or none: lmapp config --unset {words}',
  },
  'server-error-silent': {
    code: 'server-error',
    message: '{title} failed with status {status} and told no reason.',
    hint: LOG,
  },
  'error-without-reason': {
    code: 'server-error',
    message: 'The server reported an error without a reason.',
    hint: LOG,
  },
  'ended-by-error': {
    code: 'server-error',
    message: 'The server ended the answer with an error.',
    hint: LOG,
  },
  // Pulls
  'unknown-pull': {
    code: 'unknown-model',
    message: 'No such model in the registry: {words}',
    hint: 'Check the name at ollama.com/library.',
  },
  'pull-interrupted': { code: 'broken', message: '{words}', hint: PULL_AGAIN },
  'pull-stalled': {
    code: 'timeout',
    message: 'The download made no progress for {words} min.',
    hint: `${PULL_AGAIN} The limit is "pullTimeoutS" in the settings.`,
  },
  'pull-no-space': {
    code: 'server-error',
    message: '{words}',
    hint: 'Make room on the disk of the server, then pull again.',
  },
  'pull-old-server': { code: 'server-error', message: '{words}', hint: 'Update Ollama, then pull again.' },
  'pull-no-network': {
    code: 'server-error',
    message: '{words}',
    hint: 'The server must reach the registry: check its network and proxy.',
  },
  'pull-sign-in': {
    code: 'server-error',
    message: '{words}',
    hint: 'The registry wants a sign-in: see `ollama signin`, or check the name.',
  },
  // The embedded engine
  'engine-missing': {
    code: 'not-running',
    message: 'The embedded engine is not installed.',
    hint: 'Install it with: lmapp engine install',
  },
  'engine-broken': {
    code: 'not-running',
    message: 'The embedded engine cannot be started: {words}',
    hint: 'Install it anew with: lmapp engine install',
  },
  'engine-died': {
    code: 'broken',
    message: 'The engine ended in the middle of its work ({words}).',
    hint: 'Ask again: it starts anew. When that does not help, choose another model or a smaller context.',
  },
  'engine-killed': {
    code: 'broken',
    message: 'The engine was killed ({words}), as the system does when memory is short.',
    hint: 'Ask again: it starts anew. When memory is short, choose a smaller model or context.',
  },
  'engine-silent': {
    code: 'timeout',
    message: 'The engine told nothing for {words} s.',
    hint: 'Ask again: it starts anew. The limits are "idleTimeoutS" and "firstByteTimeoutS" in the settings.',
  },
  'model-file': {
    code: 'server-error',
    message: 'The file of {model} cannot be loaded: {words}',
    hint: 'Choose another model, or fetch the file anew.',
  },
  'model-file-problem': {
    code: 'unsupported',
    message: 'The file of {model} cannot be run: {words}.',
    hint: 'Choose another model, or fetch the file anew.',
  },
  // Kinds of servers that have words of their own
  'mock-stays': {
    code: 'unsupported',
    message: 'The mock itself cannot be deleted.',
    hint: 'Start without --mock.',
  },
  'not-in-cache': {
    code: 'unsupported',
    message: '{model} is not in the cache of {title}, which deletes nothing else.',
    hint: 'Delete its file on the machine of the server.',
  },
  'llama.cpp-pull': {
    code: 'server-error',
    message: 'The download failed: {words}.',
    hint: 'Check the name (user/repository:quantisation) and the log of the server.',
  },
  starting: {
    code: 'loading',
    message: '{title} is still starting.',
    hint: 'Wait until it has started.',
  },
  'localai-administrator': {
    code: 'forbidden',
    message: 'LocalAI allows this to administrators only.',
    hint: 'Set the key of an administrator as "key" of this server.',
  },
  'localai-opaque': {
    code: 'server-error',
    message: '{title} failed with status {status} and told no reason.',
    hint: 'Its log has the reason; LOCALAI_OPAQUE_ERRORS hides it here.',
  },
  'localai-cancelled': {
    code: 'server-error',
    message: 'The job for {model} was cancelled on the server.',
    hint: 'Start it again to go on.',
  },
  'localai-job': {
    code: 'server-error',
    message: 'LocalAI could not do it for {model}: {words}',
    hint: 'Names are those of its galleries (gallery@name, as in its web page); the log has more.',
  },
  'localai-stalled': {
    code: 'timeout',
    message: 'The job for {model} does not move.',
    hint: 'Look into the log of LocalAI, or start it again.',
  },
  'no-credit': {
    code: 'forbidden',
    message: '{words}',
    hint: 'Add credit to the account behind this key, or use another key.',
  },
  'litellm-key-model': {
    code: 'forbidden',
    message: '{words}',
    hint: 'Choose a model that this key may use, or let LiteLLM allow it.',
  },
  'litellm-team-model': {
    code: 'forbidden',
    message: '{words}',
    hint: 'Choose a model that your team may use, or let LiteLLM allow it.',
  },
  'litellm-budget': {
    code: 'forbidden',
    message: '{words}',
    hint: 'Ask whoever runs LiteLLM for a larger budget, or use another key.',
  },
  'litellm-expired': {
    code: 'unauthorized',
    message: 'The key for LiteLLM has expired.',
    hint: 'Give its new key: with a in the models pane, or lmapp backends add {place} --key-env NAME',
  },
  'lmstudio-key': {
    code: 'unauthorized',
    message: 'The API token for LM Studio is missing or wrong.',
    hint: 'Make one in its server settings, and set it as "key" of this server.',
  },
  'lmstudio-idle': {
    code: 'unknown-model',
    message: 'LM Studio has no model loaded, and may not load one for a request.',
    hint: 'Load it with l in the models pane, or turn on Just-in-Time loading in its server settings.',
  },
  'lmstudio-old': {
    code: 'unsupported',
    message: 'LM Studio can {words} since version 0.4.',
    hint: 'Update LM Studio.',
  },
  'lmstudio-pull': {
    code: 'server-error',
    message: 'LM Studio could not download {model}.',
    hint: 'Check the name in its search, or look into the app for the reason.',
  },
  'lmstudio-pull-stalled': {
    code: 'timeout',
    message: 'The download of {model} does not move.',
    hint: 'LM Studio keeps what came so far: look at its downloads, or pull again.',
  },
  'gpt4all-off': {
    code: 'not-running',
    message: 'The API server of GPT4All is switched off.',
    hint: 'Turn on "Enable Local API Server" in the settings of the GPT4All app.',
  },
  'jan-idle': {
    code: 'unknown-model',
    message: 'Jan runs no model.',
    hint: 'Start one in Jan: Settings, Model Providers, Start.',
  },
  'jan-not-this': {
    code: 'unknown-model',
    message: '{words}',
    hint: 'Start it in Jan (Settings, Model Providers), or choose a model that runs.',
  },
  'jan-session-died': {
    code: 'server-error',
    message: '{words}',
    hint: 'The session of the model has died: start the model again in Jan.',
  },
  'litellm-upstream': {
    code: 'server-error',
    message: '{words}',
    hint: 'LiteLLM does not reach the server behind it: start that, or correct its api_base.',
  },
  'vllm-dead': {
    code: 'server-error',
    message: 'The engine of vLLM is dead: only its front answers.',
    hint: 'Start it again with: {start}. Its terminal tells why it died.',
  },
  'vllm-template': {
    code: 'server-error',
    message: '{words}',
    hint: 'Start vLLM with --chat-template FILE, or choose an instruction-tuned model.',
  },
  ...DOWNLOAD_FAULTS,
} as const satisfies Readonly<Record<string, FaultEntry>>;

export type FaultId = keyof typeof FAULTS;

const NOT_TOLD: FaultValues = { title: 'The server', place: 'The server' };

/** Code, sentence and next step of an entry, filled in. */
export function faultWords(
  id: FaultId,
  values: FaultValues = {},
): Pick<Fault, 'code' | 'message'> & { hint: string } {
  const entry: FaultEntry = FAULTS[id];
  const hint = entry.of?.[values.kind ?? ''] ?? entry.hint;
  return { code: entry.code, message: filled(entry.message, values), hint: filled(hint, values) };
}

/** The fault of an entry. */
export function faultFor(id: FaultId, values: FaultValues = {}, status: number | null = null): Fault {
  return { ...faultWords(id, values), status };
}

function filled(template: string, values: FaultValues): string {
  const known: FaultValues = { ...NOT_TOLD, ...values };
  const text = template
    .replace(/\[(.*?)\{log\}\]/g, known.log ? '$1{log}' : '')
    .replace(/\{(\w+)\}/g, (_whole, name: keyof FaultValues) => known[name] ?? '');
  // A server without a name of its own stands in a sentence, or begins one.
  return text.replace(/(?<=[\w,:] )The server\b/g, 'the server');
}
