/**
 * Cases of conformance that are about the interface of another kind of server, each with the reason, as docs/backends.md shows it. A
 * kind puts its own together from these groups.
 */
type Reasons = Readonly<Record<string, string>>;

export const NO_NDJSON: Reasons = {
  '21': 'no NDJSON',
  '22': 'no NDJSON',
  '52': 'no NDJSON',
  '56': 'no NDJSON',
};

/** What Ollama alone says, but for its way of fetching models. */
export const OLLAMA_FORMS: Reasons = {
  '29': 'no cloud models and no check of host names',
  '60': 'about the stream of Ollama',
  '65': 'sends no nanoseconds',
  '76': 'names are compared exactly',
  '78': 'thinking is not asked for',
  '80': 'tells no expiry',
};

export const ONLY_OLLAMA: Reasons = {
  ...OLLAMA_FORMS,
  '85': 'tells no layers of a download',
  '86': 'no pull by NDJSON',
};

export const NO_NATIVE_DIALECT: Reasons = {
  ...NO_NDJSON,
  ...ONLY_OLLAMA,
  '30': 'its key counts for every question',
  '34': 'does not open its port before it is ready',
  '48': 'sends no `timings`',
  '82': 'no router',
  '90': 'about the metrics of other servers',
};

/** Ollama speaks its own dialect only. */
export const NO_EVENT_STREAM: Reasons = {
  ...Object.fromEntries(
    ['4', '5', '6', '7', '8', '10', '13', '15', '16', '57', '58'].map((number) => [
      number,
      'no event stream',
    ]),
  ),
  '30': 'no key of its own',
  '34': 'opens its port when it is ready, and loads models on request',
  '46': 'tells no progress of the prompt',
  '47': 'its figures stand in its last line',
  '48': 'sends no `timings`',
  '50': 'has no choices',
  '51': 'has one name for the thinking',
  '59': 'about the stream of LM Studio',
  '82': 'no router',
  '84': 'about GPT4All',
  '87': 'its pull is one answer',
  '89': 'has no metrics',
  '90': 'has no metrics',
};

/** Neither loads nor unloads nor fetches models. */
export const KEEPS_ITS_MODELS: Reasons = {
  '81': 'has no unload',
  '82': 'has no load',
  '87': 'fetches no models',
};

export const OF_OTHER_KINDS: Reasons = {
  '35': 'about LocalAI and Ollama',
  '59': 'about the stream of LM Studio',
  '84': 'about GPT4All',
};

/** What concerns a stand-in all the same: cancel, signals, the clock and the selection. */
const WITHOUT_NETWORK = [67, 68, 69, 70, 88];
const LAST_CASE = 90;

export const NO_NETWORK: Reasons = Object.fromEntries(
  Array.from({ length: LAST_CASE }, (_, i) => i + 1)
    .filter((number) => !WITHOUT_NETWORK.includes(number))
    .map((number) => [String(number), 'sends nothing over a network']),
);
