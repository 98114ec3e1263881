import fs from 'node:fs';
import { pieceAt } from '../../test/support/scripted-answers.js';

interface Recorded {
  readonly type: string;
  readonly seq: number;
  readonly at: number;
  readonly mono: number;
  readonly [field: string]: unknown;
}

const PIECES_PER_ANSWER = 40;
/** A chat that does not fit is asked about, and no question would follow. */
const ENDLESS_CONTEXT = 1e9;

/**
 * Makes a record of `turns` questions and answers from a real one that holds at least one: its start (settings, servers, models) is kept, its
 * first question and the end of its answer are the patterns of the others. The ids of turns are made of the sequence number of
 * the event that began them, so the numbers go on without a gap.
 */
export function writeLongRecord(recorded: string, file: string, turns: number): void {
  const [header = '', ...lines] = fs.readFileSync(recorded, 'utf8').trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Recorded);
  const submitted = events.findIndex((event) => event.type === 'prompt.submitted');
  const [asked, ended] = [events[submitted], events.find((event) => event.type === 'turn.ended')];
  if (asked === undefined || ended === undefined) throw new Error('the record holds no answer');
  const turnIdOf = (seq: number): string =>
    String(ended['turnId']).replace(new RegExp(`${asked.seq}$`), String(seq));

  const start = events.slice(0, submitted).filter((event) => event.type !== 'prompt.edited');
  const endless = (key: string, value: unknown): unknown =>
    key === 'contextMax' || key === 'contextAllocated' ? ENDLESS_CONTEXT : value;
  const out = [header, ...start.map((event) => JSON.stringify(event, endless))];
  let { seq, mono, at } = asked;
  seq = start.at(-1)?.seq ?? 0;
  const add = (event: Readonly<Record<string, unknown>>): void => {
    seq += 1;
    mono += 0.01;
    at += 0.01;
    out.push(JSON.stringify({ ...event, seq, at: Math.round(at), mono }));
  };
  for (let turn = 1; turn <= turns; turn += 1) {
    add({ type: 'prompt.edited', edit: { op: 'set', text: `question ${turn} of ${turns}` } });
    add({ ...asked });
    const turnId = turnIdOf(seq);
    const text = Array.from({ length: PIECES_PER_ANSWER }, (_, i) =>
      pieceAt(turn * PIECES_PER_ANSWER + i),
    ).join('');
    add({ type: 'turn.started', turnId });
    add({ type: 'turn.text.delta', turnId, text, pieces: PIECES_PER_ANSWER });
    add({ ...ended, turnId });
  }
  add({ type: 'prompt.edited', edit: { op: 'set', text: `PLAYED-${turns}` } });
  fs.writeFileSync(file, out.join('\n') + '\n');
}
