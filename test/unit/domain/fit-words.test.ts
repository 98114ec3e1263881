import { describe, expect, it } from '@jest/globals';
import { formatBytes, formatRoughBytes } from '../../../widgets/text/format.js';
import { fitOf, type Fit } from '../../../src/domain/fit.js';
import { fitLines, roundedTerms } from '../../../src/domain/fit-words.js';
import { NO_ROOM } from '../../../src/domain/room.js';
import { modelOf } from '../../support/machine.js';

describe('the terms of an estimate', () => {
  it('add up as they are shown, each within a tenth of a gigabyte', () => {
    const bytes = [23.6e9, 0.671e9, 0.271e9, 0.157e9];
    const shown = roundedTerms(fitWith(bytes)).map((term) => term.bytes ?? NaN);
    expect(formatBytes(sum(bytes))).toBe('24.7 GB');
    expect(sum(shown.map((each) => Number.parseFloat(formatBytes(each))))).toBeCloseTo(24.7, 6);
    expect(shown.every((each, i) => Math.abs(each - (bytes[i] ?? NaN)) < 0.1e9)).toBe(true);
  });

  it('may be negative, small or not known', () => {
    const learned = roundedTerms(fitWith([4.06e9, 0.15e9, 71e6, -0.26e9])).map((term) =>
      formatBytes(term.bytes),
    );
    expect(learned).toEqual(['4.1 GB', '0.1 GB', '71 MB', '-0.3 GB']);
    const partly = fitWith([4.06e9, null]);
    expect(roundedTerms(partly)).toEqual(partly.terms);
  });

  it('name the model that the server unloads for it beside the memory that is free then', () => {
    const evicts = [{ key: 'a/b', label: 'b:7b', memoryBytes: 1e9, vramBytes: 0 }];
    const [first] = fitLines({ ...fitWith([9e9]), evicts }, 'm', formatBytes, formatRoughBytes);
    expect(first).toBe('m needs about 9.0 GB, free are 8.0 GB once b:7b is unloaded for it.');
  });
});

function fitWith(bytes: readonly (number | null)[]): Fit {
  const question = {
    kind: 'ollama',
    details: null,
    room: NO_ROOM,
    evictable: [],
    chosenTokens: null,
    loads: [],
  };
  return {
    ...fitOf({ ...question, model: modelOf('a', 'm') }),
    probably: bytes.includes(null),
    neededBytes: sum(bytes.map((each) => each ?? 0)),
    freeBytes: 8e9,
    where: 'memory',
    terms: bytes.map((each) => ({ name: 'weights', bytes: each, source: 'tensors' })),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
