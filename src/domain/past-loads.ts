/** What a model really took when it was loaded, beside what was estimated. */
export interface PastLoad {
  /** Digest of the model, else its key. */
  readonly model: string;
  readonly contextTokens: number;
  /** Without what earlier loads taught. */
  readonly estimatedBytes: number;
  readonly realBytes: number;
  /** What told the real figure: `/api/ps`. */
  readonly source: string;
  /** Epoch ms. */
  readonly at: number;
}

/** So many are kept, over all models. */
export const KEPT_LOADS = 200;
/** A figure that is further off than this is of something else: a load that was cut short, a model that runs twice. */
const MOST_FACTOR = 3;

/** The load that tells most about a context: the same one, else the nearest. The newest stand last. */
export function nearestLoad(
  loads: readonly PastLoad[],
  model: string,
  contextTokens: number,
): PastLoad | null {
  let nearest: PastLoad | null = null;
  for (const load of loads) {
    if (load.model !== model) continue;
    const distance = Math.abs(load.contextTokens - contextTokens);
    if (nearest === null || distance <= Math.abs(nearest.contextTokens - contextTokens)) nearest = load;
  }
  return nearest;
}

/** The newest load of a model and a context takes the place of the one before. */
export function withLoad(loads: readonly PastLoad[], load: PastLoad): readonly PastLoad[] {
  const others = loads.filter(
    ({ model, contextTokens }) => model !== load.model || contextTokens !== load.contextTokens,
  );
  return [...others, load].slice(-KEPT_LOADS);
}

/** Whether such a figure can be learned from. */
export function isPlausibleLoad({ estimatedBytes, realBytes, contextTokens, at }: PastLoad): boolean {
  return (
    [estimatedBytes, realBytes, contextTokens].every((value) => Number.isFinite(value) && value > 0) &&
    Number.isFinite(at) &&
    realBytes < estimatedBytes * MOST_FACTOR &&
    realBytes > estimatedBytes / MOST_FACTOR
  );
}
