import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import type { Stamped } from '../../../src/events/catalogue.js';
import { openRecorder, readRecord } from '../../../src/events/record.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();
const file = (): string => folder.path('record');
const event = (seq: number, text: string): Stamped => ({
  type: 'notice.raised',
  level: 'info',
  text,
  hint: null,
  seq,
  at: seq,
  mono: seq,
});

async function read(from = file()): Promise<readonly Stamped[]> {
  const events: Stamped[] = [];
  for await (const { event } of readRecord(from)) events.push(event);
  return events;
}

describe('a record', () => {
  it('gives back what was written, also lines that are longer than one read', async () => {
    const events = [event(1, 'short'), event(2, 'ü'.repeat(200_000)), event(3, 'last')];
    const recorder = openRecorder(file(), { width: 80, height: 24 }, () => undefined);
    for (const each of events) recorder.receive(each);
    await recorder.close();
    expect(await read()).toEqual(events);
  });

  it('may lack the end of its last line, and have the line ends of another system', async () => {
    fs.writeFileSync(
      file(),
      `{"lmapp":1}\r\n${JSON.stringify(event(1, 'a'))}\r\n\r\n${JSON.stringify(event(2, 'b'))}`,
    );
    expect(await read()).toEqual([event(1, 'a'), event(2, 'b')]);
  });

  it('without an end of line is not read for ever', async () => {
    await expect(read('/dev/zero')).rejects.toMatchObject({
      code: 'record',
      message: '/dev/zero:1 is not a line of an lmapp record',
      hint: expect.stringContaining('--record FILE') as unknown,
    });
  });

  it('that is none, or not there, is told with its name and the next step', async () => {
    fs.writeFileSync(file(), `{"lmapp":1}\n${JSON.stringify(event(1, 'a'))}\n{"type":5}\n`);
    await expect(read()).rejects.toMatchObject({ message: `${file()}:3 is not a line of an lmapp record` });
    for (const none of [folder.path('none'), folder.path()])
      await expect(read(none)).rejects.toMatchObject({
        code: 'record',
        message: expect.stringContaining(`cannot read the record ${none}`) as unknown,
        hint: expect.stringContaining('--record FILE') as unknown,
      });
  });
});
