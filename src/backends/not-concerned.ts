/**
 * Cases of conformance that are about the interface of one other kind of server, for those that speak only the OpenAI dialect. Each
 * with the reason, as docs/backends.md shows it.
 */
export const NO_NATIVE_DIALECT: Readonly<Record<string, string>> = {
  '21': 'no NDJSON',
  '22': 'no NDJSON',
  '29': 'no cloud models and no check of host names',
  '30': 'its key counts for every question',
  '34': 'does not open its port before it is ready',
  '48': 'sends no `timings`',
  '52': 'no NDJSON',
  '60': 'about the stream of Ollama',
  '65': 'sends no nanoseconds',
  '76': 'names are compared exactly',
  '78': 'thinking is not asked for',
  '80': 'tells no expiry',
  '82': 'no router',
  '85': 'tells no layers of a download',
  '86': 'no pull by NDJSON',
  '90': 'about the metrics of other servers',
};
