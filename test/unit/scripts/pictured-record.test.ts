import { expect, test } from '@jest/globals';
import { picturedRecord } from '../../../scripts/picture/pictured-record.js';

const record = (seed: string, port: number, noise: number): string =>
  [
    { lmapp: 1, width: 124, height: 36 },
    { type: 'app.started', idSeed: seed, seq: 1 },
    { type: 'backend.found', url: `http://127.0.0.1:${port}`, seq: 2 },
    ...Array.from({ length: noise }, (_, i) => ({
      type: 'hardware.sampled',
      sample: { cpu: i / 10 },
      seq: 3 + i,
    })),
    { type: 'prompt.submitted', seq: 3 + noise },
    { type: 'turn.text.delta', turnId: `${seed}-${3 + noise}`, text: 'two words', pieces: 2, seq: 4 + noise },
  ]
    .map((event) => JSON.stringify(event) + '\n')
    .join('');

test('two runs of the same scene give the same record, whatever the machine did meanwhile', () => {
  const shown = (port: number): Map<string, string> => new Map([[`127.0.0.1:${port}`, '127.0.0.1:11434']]);
  const first = picturedRecord(record('abc', 40_001, 3), shown(40_001));
  const second = picturedRecord(record('xyz', 40_002, 8), shown(40_002));
  expect(first).toBe(second);
});

test('the id of a turn follows the new number of the event that began it', () => {
  const events = picturedRecord(record('abc', 1, 5), new Map())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; seq: number; turnId?: string });
  const asked = events.find((event) => event.type === 'prompt.submitted');
  expect(events.find((event) => event.type === 'turn.text.delta')?.turnId).toBe(`scene-${asked?.seq}`);
});
