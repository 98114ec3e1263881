/** The names nearest to what was typed, best first: those that contain it, then those with few letters changed. */
export function nearestNames(typed: string, names: readonly string[], count = 3): readonly string[] {
  const wanted = typed.toLowerCase();
  return names
    .map((name) => ({ name, distance: distanceOf(wanted, name.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.max(2, wanted.length / 2))
    .sort((a, b) => a.distance - b.distance || a.name.length - b.name.length)
    .slice(0, count)
    .map(({ name }) => name);
}

function distanceOf(typed: string, name: string): number {
  if (name.includes(typed)) return 0.5;
  // A tag or path may be left out: llama3 for library/llama3:latest.
  const parts = [name, ...name.split(/[/:]/)];
  return Math.min(...parts.map((part) => editDistance(typed, part)));
}

/** Levenshtein distance, with two swapped neighbours as one step; long names are cut, they are far apart anyway. */
export function editDistance(a: string, b: string): number {
  const s = a.slice(0, 64);
  const t = b.slice(0, 64);
  let previous: number[] = [];
  let current = Array.from({ length: t.length + 1 }, (_, j) => j);
  for (let i = 1; i <= s.length; i++) {
    const before = previous;
    previous = current;
    current = [i];
    for (let j = 1; j <= t.length; j++) {
      const same = s[i - 1] === t[j - 1];
      let best = Math.min(
        (previous[j] ?? 0) + 1,
        (current[j - 1] ?? 0) + 1,
        (previous[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && s[i - 1] === t[j - 2] && s[i - 2] === t[j - 1])
        best = Math.min(best, (before[j - 2] ?? 0) + 1);
      current[j] = best;
    }
  }
  return current[t.length] ?? 0;
}
