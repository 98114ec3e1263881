import fs from 'node:fs';
import { FACTS, sampleAt, SPEED } from './scene.js';

interface Recorded {
  readonly type: string;
  readonly seq: number;
  readonly [field: string]: unknown;
}

/** Readings before the question: enough to fill the histories. */
const SAMPLES = 120;
const ASKED_AT = Date.UTC(2026, 10, 23, 12, 3, 4);
/** Until when a loaded model stays, as the list then shows it. */
const LOADED_UNTIL = ASKED_AT + 300_000;

/** Events that tell of this machine, this moment or this run, and not of the scene. */
const LEFT_OUT = /^(hardware\.|gpus\.|clock\.|screen\.|app\.stopping|session\.listed|prompt\.history)/;

/**
 * Turns the record of a real run into one that is the same on every machine: readings, times and addresses are the scene's. Events are
 * numbered anew, and ids that are made of numbers follow.
 */
export function picturedRecord(record: string, addresses: ReadonlyMap<string, string>): string {
  const [header = '', ...lines] = record.trim().split('\n');
  const events = lines
    .map((line) => withoutOwnLog(JSON.parse(line) as Recorded))
    .filter((event) => !LEFT_OUT.test(event.type))
    .reduce(joinDeltas, [])
    .flatMap(splitDelta);
  const asked = events.findIndex((event) => event.type === 'prompt.submitted');
  const renumbered: (readonly [number, number])[] = [];
  const out: string[] = [];
  let mono = 1_000;
  const add = (event: Readonly<Record<string, unknown>>, afterMs: number): void => {
    mono += afterMs;
    const seq = out.length + 1;
    if (typeof event['seq'] === 'number') renumbered.push([event['seq'], seq]);
    out.push(JSON.stringify({ ...event, seq, at: Math.round(ASKED_AT + mono), mono }));
  };

  for (const [index, event] of events.entries()) {
    if (index === asked) {
      add({ type: 'hardware.facts', facts: FACTS }, 0);
      for (let i = 0; i < SAMPLES; i += 1) {
        const { sample, gpus } = sampleAt(i);
        add({ type: 'hardware.sampled', sample }, 0);
        add({ type: 'gpus.sampled', gpus }, 0);
      }
    }
    const pieces = typeof event['pieces'] === 'number' ? event['pieces'] : 0;
    add(event, pieces > 0 ? (pieces * 1000) / SPEED : 0);
  }
  const seed = String(events.find((event) => event.type === 'app.started')?.['idSeed'] ?? '');
  let text = [header, ...out].join('\n') + '\n';
  for (const [before, after] of renumbered) text = text.replaceAll(`"${seed}-${before}"`, `"scene+${after}"`);
  text = text.replaceAll('"scene+', '"scene-').replaceAll(`"idSeed":"${seed}"`, '"idSeed":"scene"');
  text = text.replace(/"expiry":\{"at":\d+\}/g, `"expiry":{"at":${LOADED_UNTIL}}`);
  for (const [real, shown] of addresses) text = text.replaceAll(real, shown);
  return text;
}

/** How many pieces came at once depends on the machine: neighbours are joined first, then cut at words. */
function joinDeltas(events: readonly Recorded[], event: Recorded): Recorded[] {
  const last = events.at(-1);
  if (last === undefined || !event.type.endsWith('.delta') || last.type !== event.type)
    return [...events, event];
  return [...events.slice(0, -1), { ...last, text: String(last['text']) + String(event['text']) }];
}

function splitDelta(event: Recorded): Recorded[] {
  if (!event.type.endsWith('.delta')) return [event];
  return (String(event['text']).match(/\s*\S+\s*$|\s*\S+/g) ?? []).map((text) => ({
    ...event,
    text,
    pieces: 1,
  }));
}

/** The program's own log lines tell when the picture was made. */
function withoutOwnLog(event: Recorded): Recorded {
  const lines = event['lines'];
  if (event.type !== 'logs.appended' || !Array.isArray(lines)) return event;
  return {
    ...event,
    lines: (lines as readonly { readonly source: string }[]).filter((line) => line.source !== 'lmapp'),
  };
}

export function rewriteRecord(from: string, to: string, addresses: ReadonlyMap<string, string>): void {
  fs.writeFileSync(to, picturedRecord(fs.readFileSync(from, 'utf8'), addresses));
}
