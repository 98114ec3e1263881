import fs from 'node:fs';
import path from 'node:path';

/** The cases of conformance are numbered from 1. */
export const CASE_COUNT = 90;

/** A test of a case: its file, and what its title says of it. */
export interface CaseTest {
  readonly file: string;
  readonly says: string;
}

/** The tests of each case, found by titles that begin with `case N:`. Their order is that of the files. */
export function caseTests(folder = 'test'): ReadonlyMap<number, readonly CaseTest[]> {
  const tests = new Map<number, CaseTest[]>();
  const files = fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(path.sep).join('/'))
    .filter((name) => name.endsWith('.test.ts'))
    .sort();
  for (const file of files) {
    const text = fs.readFileSync(path.join(folder, file), 'utf8');
    for (const [, , number = '', says = ''] of text.matchAll(/(['"`])case (\d+):\s*((?:\\.|(?!\1).)*)\1/gs)) {
      const known = tests.get(Number(number)) ?? [];
      tests.set(Number(number), [...known, { file, says: says.replace(/\\(.)/g, '$1') }]);
    }
  }
  return tests;
}
