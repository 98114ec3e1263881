import type { LogLine } from './log.js';

/**
 * What a line of a server's log may say that concerns the request which runs. cut: a part of what was sent was left out. too-long: it
 * was refused for its length. memory: there was none left. offload: layers of the model stay on the processor. cache: the memory for
 * contexts is full, and requests are put off.
 */
export type LogWarningKind = 'cut' | 'too-long' | 'memory' | 'offload' | 'cache';

export interface LogWarning {
  readonly kind: LogWarningKind;
  /** Not one layer is on a GPU; no news on a machine without one. */
  readonly noLayers: boolean;
  /** Where in the text it is said. */
  readonly start: number;
}

/** A warning that was told, as it is kept with its answer. */
export interface KeptLogWarning {
  readonly kind: LogWarningKind;
  /** Epoch ms. */
  readonly at: number;
  readonly source: string;
  /** The line; at most MOST_KEPT_CHARS characters. */
  readonly text: string;
}

export const LOG_WARNING_KINDS: readonly LogWarningKind[] = ['cut', 'too-long', 'memory', 'offload', 'cache'];

/** More than the widest screen shows of it. */
export const MOST_KEPT_CHARS = 300;
/** What matters stands near the beginning; the rest of a long line is what somebody sent. */
const LOOKED_AT_CHARS = 1000;

/** What is said of each kind, and the next step. */
export const LOG_WARNING_WORDS: Readonly<
  Record<LogWarningKind, { readonly title: string; readonly level: 'warn' | 'bad'; readonly hint: string }>
> = {
  cut: {
    title: 'not all was read',
    level: 'warn',
    hint: 'A larger context or a new chat (Ctrl+N) has room for all of it.',
  },
  'too-long': {
    title: 'prompt too long',
    level: 'warn',
    hint: 'A larger context or a new chat (Ctrl+N) makes it fit.',
  },
  memory: {
    title: 'out of memory',
    level: 'bad',
    hint: 'Unload another model (u), or take a smaller one or context.',
  },
  offload: {
    title: 'not all on the GPU, so it is slow',
    level: 'warn',
    hint: 'A smaller context or unloading another model makes room.',
  },
  cache: {
    title: 'no room for all contexts',
    level: 'warn',
    hint: 'Fewer requests at once or smaller contexts have room.',
  },
};

/** Names the kinds by what the servers write (sources and recorded logs of Ollama, llama.cpp, vLLM, the Linux kernel). The first that matches counts. */
const PATTERNS: readonly (readonly [LogWarningKind, RegExp])[] = [
  // Ollama: `truncating input prompt limit=4096 prompt=5120 keep=4`, and while it answers `context limit hit - shifting`.
  ['cut', /\btruncating input (?:prompt|messages)\b|\bcontext limit hit - shifting\b/i],
  // llama.cpp: `slot context shift, n_keep = 1, n_left = 4094, n_discard = 2047`, older `input truncated, n_ctx = 512`.
  ['cut', /\bslot context shift\b|\binput truncated, n_ctx\b/],
  ['too-long', /\bprompt is too long\b|\bexceeds the available context size\b/i],
  // The words by which Ollama itself knows it; PyTorch, Vulkan and Metal write it as a name; the kernel when it kills.
  [
    'memory',
    /\bout of memory\b|\bcudaMalloc failed\b|\b(?:failed|unable) to allocate\b|\b(?:not enough|insufficient) memory\b|OutOf(?:Device|Host)?Memory|\boom-kill\b|\binvoked oom-killer\b/i,
  ],
  // Ollama: `model requires more system memory (9.5 GiB) than is available (7.1 GiB)`; vLLM at its start.
  [
    'memory',
    /\brequires more system memory\b|\bNo available memory for the cache blocks\b|\bKilled process \d+ \(/,
  ],
  // vLLM: `Sequence group 0 is preempted by PreemptionMode.RECOMPUTE mode because there is not enough KV cache space.`
  ['cache', /\bis preempted by PreemptionMode\b/],
  // llama.cpp: `failed to find free space in the KV cache, retrying with smaller batch size`.
  ['cache', /\bfailed to find (?:free space in the KV cache|a memory slot for batch)\b/],
];

/** llama.cpp: `offloaded 12/33 layers to GPU`; Ollama's estimate before it: `layers.model=33 layers.offload=12`. */
const OFFLOADED = /\boffloaded (\d{1,5})\/(\d{1,5}) layers to GPU\b/;
const ESTIMATED = /\blayers\.model=(\d{1,5}) layers\.offload=(\d{1,5})\b/;

/** Requests that are written to a log with what was asked; people ask about out of memory. */
const ECHO = /\bprompt: ?['"]|["'](?:messages|content|prompt|input)["'] ?:|\brequest: ?\{/;

/** One expression for the many lines that say none of it. */
const ANY =
  /truncat|shift|too long|exceeds|memory|cudaMalloc|allocate|oom|Killed|preempted|failed to find|layers/i;

/** What a line warns of; null: nothing. */
export function warningIn({ text }: LogLine): LogWarning | null {
  const looked = text.length > LOOKED_AT_CHARS ? text.slice(0, LOOKED_AT_CHARS) : text;
  if (!ANY.test(looked) || ECHO.test(looked)) return null;
  const onGpu = offloadOf(looked);
  if (onGpu)
    return onGpu.some < onGpu.all
      ? { kind: 'offload', noLayers: onGpu.some === 0, start: onGpu.start }
      : null;
  for (const [kind, pattern] of PATTERNS) {
    const start = looked.search(pattern);
    if (start >= 0) return { kind, noLayers: false, start };
  }
  return null;
}

function offloadOf(
  text: string,
): { readonly some: number; readonly all: number; readonly start: number } | null {
  const told = OFFLOADED.exec(text);
  if (told) return { some: Number(told[1]), all: Number(told[2]), start: told.index };
  const estimated = ESTIMATED.exec(text);
  return estimated && { some: Number(estimated[2]), all: Number(estimated[1]), start: estimated.index };
}
