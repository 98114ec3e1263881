const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * The time that a model is kept after its last use, as the setting `keepAlive` has it for Ollama: `10m`, `0`, a number of seconds; negative:
 * for ever. Null: nothing was said.
 */
export function keepMsOf(keepAlive: string): number | 'never' | null {
  const [, amount = '', unit = 's'] = /^(-?\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(keepAlive.trim()) ?? [];
  if (amount === '') return null;
  const value = Number(amount);
  // A timer of Node holds 24.8 days at most, which is as good as for ever.
  if (value < 0) return 'never';
  const ms = value * (UNITS_MS[unit] ?? 1000);
  return ms >= 2 ** 31 ? 'never' : ms;
}
