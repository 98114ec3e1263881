import type { FaultEntry } from './fault-table.js';

const GOES_ON = 'Pull it again: it goes on from where it stopped.';

/** Faults of downloads that lmapp does itself, part of the table of all faults. `place`: an address without credentials and query. */
export const DOWNLOAD_FAULTS = {
  'download-unreached': {
    code: 'not-running',
    message: '{place} cannot be reached ({words}).',
    hint: 'Check the network; behind a proxy set HTTPS_PROXY, with a mirror of the hub HF_ENDPOINT.',
  },
  'download-no-answer': {
    code: 'timeout',
    message: '{place} did not answer in time.',
    hint: 'Check the network, or name a proxy in HTTPS_PROXY.',
  },
  'redirect-unsafe': {
    code: 'not-a-server',
    message: '{place} redirects to an address without encryption: {words}.',
    hint: 'Use another address of the file.',
  },
  'proxy-away': {
    code: 'not-running',
    message: 'The proxy {place} cannot be reached ({words}).',
    hint: 'Check HTTPS_PROXY, or name hosts that need no proxy in NO_PROXY.',
  },
  'proxy-refused': {
    code: 'forbidden',
    message: 'The proxy {place} does not let this host through (status {status}).',
    hint: 'Ask whoever runs it, or name the host in NO_PROXY when it needs no proxy.',
  },
  'proxy-sign-in': {
    code: 'unauthorized',
    message: 'The proxy {place} wants a name and a password.',
    hint: 'Put them into HTTPS_PROXY: http://NAME:PASSWORD@HOST:PORT',
  },
  'proxy-kind': {
    code: 'unsupported',
    message: 'The proxy {place} is of the kind {words}, which cannot be used.',
    hint: 'Name one with http:// or https:// in HTTPS_PROXY.',
  },
  'download-address': {
    code: 'unsupported',
    message: '{words} cannot be downloaded from.',
    hint: 'Give hf:ORG/REPO[:QUANT], an https address that ends in .gguf, or a name of the catalogue.',
  },
  'download-away': {
    code: 'unknown-model',
    message: '{place} has no such file (status {status}).',
    hint: 'Check the address.',
  },
  'download-refused': {
    code: 'server-error',
    message: '{place} answered with status {status}.',
    hint: 'Try it again later, or use another address of the file.',
  },
  'download-busy': {
    code: 'busy',
    message: '{place} has had too many requests (status {status}).',
    hint: 'Wait a few minutes, then pull it again: it goes on from where it stopped.',
  },
  'download-key': {
    code: 'unauthorized',
    message: '{place} wants a sign-in (status {status}).',
    hint: 'Use an address that needs none.',
  },
  'hub-key': {
    code: 'unauthorized',
    message: '{model} is not on {place}, or may not be read without a token.',
    hint: 'Check the name; for a private one set HF_TOKEN to a token that may read it.',
  },
  'hub-gated': {
    code: 'forbidden',
    message: '{model} may only be read after its terms were accepted.',
    hint: 'Accept them on its page at {place}/{model}, and set HF_TOKEN.',
  },
  'hub-unknown': {
    code: 'unknown-model',
    message: 'There is no {model} on {place}.',
    hint: 'Check the name: hf:ORG/REPO[:QUANT].',
  },
  'hub-no-gguf': {
    code: 'unsupported',
    message: '{model} has no GGUF file.',
    hint: 'Look for a repository of the same model whose name ends in -GGUF.',
  },
  'hub-no-quant': {
    code: 'unknown-model',
    message: '{model} has no such file.',
    hint: 'Name one that it has: {words}.',
  },
  'hub-answer': {
    code: 'not-a-server',
    message: '{place} answered with something else than a list of files.',
    hint: 'Check HF_ENDPOINT and the proxy: a page of a sign-in may stand in between.',
  },
  'index-unknown': {
    code: 'unknown-model',
    message: 'The package index at {place} does not have {model}.',
    hint: 'Check PIP_INDEX_URL, or use an index that has it.',
  },
  'index-answer': {
    code: 'not-a-server',
    message: '{place} answered with something else than a list of packages.',
    hint: 'Check PIP_INDEX_URL and the proxy: a page of a sign-in may stand in between.',
  },
  'no-source': {
    code: 'not-running',
    message: '{model} can be had from nowhere now. {words}',
    hint: 'Check the network; behind a proxy set HTTPS_PROXY, with a mirror HF_ENDPOINT or PIP_INDEX_URL.',
  },
  'no-gguf': {
    code: 'not-a-server',
    message: '{place} sent {words} instead of a model file.',
    hint: 'Check the address; a page of a sign-in or a proxy may stand in between.',
  },
  'wrong-length': {
    code: 'broken',
    message: '{place} sends {words}.',
    hint: 'What came was removed. Pull it again, or use another address of the file.',
  },
  'wrong-digest': {
    code: 'broken',
    message: 'What {place} sent is not the file that was asked for: its sha256 differs.',
    hint: 'It was removed. Pull it again; when it stays so, the source or a proxy in between is not to be trusted.',
  },
  'bad-model-file': {
    code: 'unsupported',
    message: 'The downloaded file {words}.',
    hint: 'It was removed. Choose another file of this model.',
  },
  'no-room': {
    code: 'server-error',
    message: 'There is not enough room in {place}: {words}.',
    hint: 'Make room, or choose a smaller model. What came so far is kept.',
  },
  'cannot-write': {
    code: 'server-error',
    message: '{place} cannot be written ({words}).',
    hint: 'Check its permissions and its disk.',
  },
  'not-ours': {
    code: 'unsupported',
    message: '{model} belongs to {title}.',
    hint: 'Delete it there: lmapp deletes only what it has fetched itself.',
  },
  'pulled-already': {
    code: 'busy',
    message: '{model} is being pulled already.',
    hint: 'Wait for it: the model appears in the list when it is there.',
  },
  'download-broken': {
    code: 'broken',
    message: 'The download from {place} broke off{words}.',
    hint: GOES_ON,
  },
} as const satisfies Readonly<Record<string, FaultEntry>>;
