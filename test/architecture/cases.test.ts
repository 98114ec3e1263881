import { describe, expect, it } from '@jest/globals';
import { backendTypes } from '../../src/backends/registry.js';
import { CASE_COUNT, caseTests } from '../support/cases.js';

/** Cases without a test yet. A test takes its case off this list, and the list ends empty. */
const NOT_YET: readonly number[] = [];

const tests = caseTests();
const numbers = Array.from({ length: CASE_COUNT }, (_, i) => i + 1);

describe('the cases of conformance', () => {
  it('each have a test, or a reason of every kind why it does not concern it', () => {
    const missing = numbers.filter(
      (number) =>
        !tests.has(number) && !backendTypes.every((type) => type.notConcerned[number] !== undefined),
    );
    expect(missing).toEqual(NOT_YET);
  });

  it('are numbered as far as they go', () => {
    expect([...tests.keys()].filter((number) => !numbers.includes(number))).toEqual([]);
  });

  it.each(backendTypes.map((type) => [type.kind, type] as const))(
    '%s: those that do not concern it have a reason, and no test of its own',
    (kind, { notConcerned }) => {
      const known = numbers.map(String);
      expect(Object.keys(notConcerned).filter((number) => !known.includes(number))).toEqual([]);
      for (const reason of Object.values(notConcerned)) expect(reason).toMatch(/^\S.*[^.]$/);
      const own = `contract/${kind.replace(/\W/g, '-')}.test.ts`;
      const tested = numbers.filter((number) => tests.get(number)?.some(({ file }) => file === own));
      expect(tested.filter((number) => notConcerned[number] !== undefined)).toEqual([]);
    },
  );
});
