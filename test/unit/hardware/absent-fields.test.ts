import { describe, expect, it } from '@jest/globals';
import { JSONS } from './absent-json-samples.js';
import { REMOTE } from './absent-remote-samples.js';
import { TEXTS } from './absent-samples.js';

/** What stands where a source knows nothing. */
const ABSENT = ['', ' ', '-', 'N/A', '[N/A]', '[Not Supported]', 'unknown', 'nan', 'null'];
const NUMBER = /(?<![\w.:-])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.])/gi;

type Files = Readonly<Record<string, string>>;

/** Each way in which one field, one line or one file is not there. */
function* withoutOneField(files: Files, columns: boolean): Generator<readonly [what: string, files: Files]> {
  for (const [name, text] of Object.entries(files)) {
    yield [`no ${name}`, Object.fromEntries(Object.entries(files).filter(([other]) => other !== name))];
    const lines = text.split('\n');
    for (const [at, line] of lines.entries())
      yield [`without "${line}"`, { ...files, [name]: lines.filter((_, i) => i !== at).join('\n') }];
    for (const found of text.matchAll(NUMBER))
      for (const word of ABSENT) {
        if (columns && word.trim() === '') continue;
        const changed = text.slice(0, found.index) + word + text.slice(found.index + found[0].length);
        yield [`${name}: "${word}" for ${found[0]} at ${found.index}`, { ...files, [name]: changed }];
      }
  }
}

/** Each way in which one value is not there. */
function* withoutOneValue(value: unknown): Generator<readonly [what: string, value: unknown]> {
  if (typeof value !== 'object' || value === null) {
    for (const word of [...ABSENT, null, false, [], {}])
      yield [`${JSON.stringify(word)} for ${String(value)}`, word];
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    const others = Object.entries(value).filter(([other]) => other !== key);
    yield [`no ${key}`, Array.isArray(value) ? others.map(([, each]) => each) : Object.fromEntries(others)];
    for (const [what, changed] of withoutOneValue(inner))
      yield [
        `${key}: ${what}`,
        Array.isArray(value)
          ? value.map((each: unknown, i) => (String(i) === key ? changed : each))
          : { ...value, [key]: changed },
      ];
  }
}

/** The figures of a reading by their path. */
function figures(reading: unknown, path = ''): ReadonlyMap<string, number> {
  if (typeof reading === 'number') return new Map([[path, reading]]);
  if (typeof reading !== 'object' || reading === null) return new Map();
  return new Map(
    Object.entries(reading)
      .filter(([key]) => key !== 'index')
      .flatMap(([key, value]) => [...figures(value, `${path}/${key}`)]),
  );
}

/** What is wrong: a figure that is 0 or none at all where the source told neither, and figures that no missing field could take away. */
function faultsOf(
  whole: unknown,
  changed: Iterable<readonly [what: string, reading: unknown]>,
): readonly string[] {
  const told = figures(whole);
  const faults = [...told].filter(([, value]) => value === 0).map(([path]) => `the sample has a 0: ${path}`);
  if (told.size === 0) faults.push('the sample has no figures');
  const kept = new Set(told.keys());
  for (const [what, reading] of changed) {
    const now = figures(reading);
    for (const path of kept) if (!now.has(path)) kept.delete(path);
    for (const [path, value] of now)
      if (value === 0 || !Number.isFinite(value)) faults.push(`${path} is ${value}: ${what}`);
  }
  return [...faults, ...[...kept].map((path) => `${path} is told whatever is missing`)];
}

describe('what a source does not tell is unknown, never 0', () => {
  it.each([...TEXTS, ...REMOTE].map((sample) => [sample.of, sample] as const))(
    'in %s',
    (_, { files, columns, read }) => {
      function* changed(): Generator<readonly [string, unknown]> {
        for (const [what, less] of withoutOneField(files, columns === true)) yield [what, read(less)];
      }
      expect(faultsOf(read(files), changed())).toEqual([]);
    },
  );

  it.each(JSONS.map((sample) => [sample.of, sample] as const))('in the JSON of %s', (_, { value, read }) => {
    function* changed(): Generator<readonly [string, unknown]> {
      for (const [what, less] of withoutOneValue(value)) yield [what, read(JSON.stringify(less))];
    }
    expect(faultsOf(read(JSON.stringify(value)), changed())).toEqual([]);
  });
});
