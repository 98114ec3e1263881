/**
 * In which layers attention looks at everything, where the files do not tell: one in so many, as llama.cpp has it built in per
 * architecture. All others look at a sliding window.
 */
const EVERY: Readonly<Record<string, { readonly every: number; readonly fullFirst?: boolean }>> = {
  gemma2: { every: 2 },
  gemma3: { every: 6 },
  gemma3n: { every: 5 },
  gemma4: { every: 6 },
  'gemma-embedding': { every: 6 },
  llama4: { every: 4 },
  cohere2: { every: 4 },
  'gpt-oss': { every: 2 },
  gptoss: { every: 2 },
  olmo2: { every: 4 },
  exaone4: { every: 4 },
  'exaone-moe': { every: 4 },
  smallthinker: { every: 4, fullFirst: true },
  afmoe: { every: 4 },
};

/** Architectures of which a sliding window is heeded without a pattern in the file: others tell one and do not use it (phi3, qwen2). */
export const KNOWN_PATTERNS: ReadonlySet<string> = new Set(Object.keys(EVERY));

/** Whether a layer (from 0) looks at the whole context; `every`: as the file tells it. */
export function isFullAttention(architecture: string, layer: number, every: number | null): boolean {
  const pattern = Object.hasOwn(EVERY, architecture) ? EVERY[architecture] : undefined;
  const period = every ?? pattern?.every ?? 1;
  return layer % period === (pattern?.fullFirst ? 0 : period - 1);
}
