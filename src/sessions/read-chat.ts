import fs from 'node:fs/promises';
import { sanitize, sanitizeLine } from '../../widgets/text/sanitize.js';
import type {
  EarlierRuns,
  FellBack,
  FigureName,
  Outcome,
  Phase,
  Truncation,
  Turn,
  Usage,
} from '../domain/chat.js';
import { NEW_TURN, NO_USAGE } from '../domain/chat.js';
import type { Fault } from '../domain/fault.js';
import { LOG_WARNING_KINDS, MOST_KEPT_CHARS } from '../domain/log-warnings.js';
import { readSampling } from '../domain/sampling.js';
import { textOf } from '../domain/text.js';
import { LmappError, messageOf } from '../errors.js';
import type { StoredChat } from '../events/catalogue.js';
import { chatFileOf } from './chat-file.js';

/** A line as it comes from the disk: anything. */
type Line = Readonly<Record<string, unknown>>;

/** A turn while its lines are read. */
interface Draft {
  readonly prompt: Line;
  thinking: string;
  answer: string;
  /** Of the last piece; the best known time of an end that was not written. */
  lastMs: number | null;
  /** The last time that it was gone on with. */
  goesOn: Line | null;
  /** By the run that it ends. */
  readonly ends: Map<number, Line>;
}

const OUTCOMES: readonly Outcome[] = [
  'complete',
  'incomplete',
  'failed',
  'broken',
  'cancelled',
  'interrupted',
];
const PHASES: readonly Phase[] = ['sending', 'queued', 'loading', 'prefill', 'thinking', 'answering'];

/**
 * Reads a chat. Lines that are damaged or not ours are skipped and counted; a turn without an end was interrupted. Times of its turns
 * count from 0 at the question. Errors: LmappError when the file cannot be read.
 */
export async function readChat(directory: string, id: string): Promise<StoredChat> {
  let text: string;
  try {
    text = await fs.readFile(chatFileOf(directory, id), 'utf8');
  } catch (cause) {
    throw new LmappError('chat.unreadable', `the chat cannot be read: ${messageOf(cause)}`, { cause });
  }
  return parseChat(id, text);
}

/** The chat in the text of a file. */
export function parseChat(id: string, text: string): StoredChat {
  const drafts = new Map<string, Draft>();
  let header: Line | null = null;
  let skippedLines = 0;
  for (const raw of text.split('\n')) {
    // Empty lines end torn ones.
    if (raw.trim() === '') continue;
    const line = parseLine(raw);
    if (line?.['t'] === 'chat') header ??= line;
    else if (line === null || !takeLine(drafts, line)) skippedLines++;
  }
  const turns = [...drafts].map(([turnId, draft]) => turnOf(turnId, draft));
  return {
    id,
    title: sanitizeLine(stringOf(header?.['title']) || titleOf(turns)),
    turns,
    skippedLines,
  };
}

function parseLine(raw: string): Line | null {
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === 'object' && value !== null ? (value as Line) : null;
  } catch {
    return null;
  }
}

/** False: not a line of a chat, or one of a turn whose question is lost. */
function takeLine(drafts: Map<string, Draft>, line: Line): boolean {
  const turnId = line['turn'];
  if (typeof turnId !== 'string') return false;
  const draft = drafts.get(turnId);
  if (line['t'] === 'prompt') {
    if (typeof line['text'] !== 'string') return false;
    if (!draft)
      drafts.set(turnId, {
        prompt: line,
        thinking: '',
        answer: '',
        lastMs: null,
        goesOn: null,
        ends: new Map(),
      });
    return true;
  }
  if (!draft) return false;
  if (line['t'] === 'end') {
    draft.ends.set(runOf(line), line);
    return true;
  }
  if (line['t'] === 'continue') {
    if (runOf(line) < runOf(draft.goesOn)) return true;
    draft.goesOn = line;
    // The offsets of what follows count from the text as it was read.
    draft.thinking = sanitize(draft.thinking);
    draft.answer = sanitize(draft.answer);
    draft.lastMs = null;
    return true;
  }
  if (line['t'] !== 'delta') return false;
  draft.thinking = joined(draft.thinking, line['thinking']);
  draft.answer = joined(draft.answer, line['answer']);
  draft.lastMs = numberOf(line['ms']) ?? draft.lastMs;
  return true;
}

/** A piece that was written twice adds only what is new; after one that is lost, the text goes on where it can. */
function joined(before: string, piece: unknown): string {
  if (typeof piece !== 'object' || piece === null) return before;
  const { from, text } = piece as Line;
  if (typeof text !== 'string') return before;
  const overlap = typeof from === 'number' ? Math.max(0, before.length - from) : 0;
  return before + text.slice(overlap);
}

/** How many runs came before the one that a line belongs to. */
function runOf(line: Line | null): number {
  return numberOf(line?.['runs']) ?? 0;
}

function turnOf(id: string, { prompt, thinking, answer, lastMs, goesOn, ends }: Draft): Turn {
  const end = ends.get(runOf(goesOn)) ?? null;
  const earlier = earlierOf(goesOn);
  const phases = phasesOf(end?.['phases']);
  return {
    ...NEW_TURN,
    id,
    prompt: sanitize(stringOf(prompt['text'])),
    askedAt: numberOf(prompt['at']) ?? 0,
    modelKey: stringOf(prompt['modelKey']),
    modelLabel: sanitizeLine(stringOf(prompt['model'])),
    backendTitle: sanitizeLine(stringOf(prompt['backend'])),
    answeredBy: typeof end?.['answeredBy'] === 'string' ? sanitizeLine(end['answeredBy']) : null,
    thinking: textOf(sanitize(thinking)),
    answer: textOf(sanitize(answer)),
    phase: phases.at(-1)?.phase ?? (answer === '' ? 'sending' : 'answering'),
    phases,
    pieces: numberOf(end?.['pieces']) ?? earlier?.pieces ?? 0,
    startedMono: 0,
    firstTokenMono: numberOf(end?.['firstMs']),
    endedMono: numberOf(end?.['endMs']) ?? lastMs ?? 0,
    usage: usageOf(end?.['usage']),
    outcome: OUTCOMES.find((outcome) => outcome === end?.['outcome']) ?? 'interrupted',
    endReason: typeof end?.['reason'] === 'string' ? sanitizeLine(end['reason']) : null,
    sampling: readSampling(end?.['sampling']),
    fault: faultOf(end?.['fault']),
    notes: textsOf((end ?? goesOn)?.['notes']),
    sources: sourcesOf(end?.['sources']),
    truncation: truncationOf(end?.['truncation']),
    requestId: typeof end?.['requestId'] === 'string' ? sanitizeLine(end['requestId']).slice(0, 100) : null,
    logWarnings: logWarningsOf(end?.['logWarnings']),
    droppedTurns: textsOf(prompt['dropped']),
    fellBackFrom: fellBackOf(prompt['fellBackFrom']),
    earlier,
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((note) => typeof note === 'string').map(sanitizeLine) : [];
}

const FIGURES: readonly FigureName[] = [
  ...(Object.keys(NO_USAGE) as (keyof Usage)[]),
  'queued',
  'loading',
  'prefill',
];

function sourcesOf(value: unknown): Turn['sources'] {
  if (typeof value !== 'object' || value === null) return {};
  const told = FIGURES.map((name) => [name, (value as Line)[name]] as const);
  return Object.fromEntries(
    told.flatMap(([name, source]) => (typeof source === 'string' ? [[name, sanitizeLine(source)]] : [])),
  );
}

function truncationOf(value: unknown): Truncation | null {
  if (typeof value !== 'object' || value === null) return null;
  const { messages, tokens, source } = value as Line;
  if (typeof source !== 'string') return null;
  return { messages: numberOf(messages), tokens: numberOf(tokens), source: sanitizeLine(source) };
}

function logWarningsOf(value: unknown): Turn['logWarnings'] {
  if (!Array.isArray(value)) return [];
  const read = value.flatMap((entry: unknown) => {
    const line: Line = typeof entry === 'object' && entry !== null ? (entry as Line) : {};
    const kind = LOG_WARNING_KINDS.find((each) => each === line['kind']);
    const at = numberOf(line['at']);
    if (kind === undefined || at === null || typeof line['text'] !== 'string') return [];
    const text = sanitizeLine(line['text']).slice(0, MOST_KEPT_CHARS);
    return [{ kind, at, source: sanitizeLine(stringOf(line['source'])), text }];
  });
  // Each kind once, as it was written.
  return read.filter(({ kind }, i) => read.findIndex((each) => each.kind === kind) === i);
}

function earlierOf(line: Line | null): EarlierRuns | null {
  if (line === null) return null;
  return {
    runs: runOf(line),
    pieces: numberOf(line['pieces']) ?? 0,
    answerTokens: numberOf(line['answerTokens']),
    ms: numberOf(line['ms']) ?? 0,
  };
}

function fellBackOf(value: unknown): readonly FellBack[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    const line: Line = typeof entry === 'object' && entry !== null ? (entry as Line) : {};
    const fault = faultOf(line['fault']);
    if (fault === null) return [];
    return [
      {
        modelKey: stringOf(line['modelKey']),
        modelLabel: sanitizeLine(stringOf(line['modelLabel'])),
        backendTitle: sanitizeLine(stringOf(line['backendTitle'])),
        fault,
      },
    ];
  });
}

function phasesOf(value: unknown): Turn['phases'] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((entry: unknown) => {
    if (!Array.isArray(entry)) return [];
    const phase = PHASES.find((each) => each === entry[0]);
    const mono = numberOf(entry[1]);
    return phase && mono !== null ? [{ phase, mono }] : [];
  });
}

function usageOf(value: unknown): Usage {
  if (typeof value !== 'object' || value === null) return NO_USAGE;
  const told = Object.keys(NO_USAGE).map((key) => [key, numberOf((value as Line)[key])]);
  return Object.fromEntries(told) as Usage;
}

function faultOf(value: unknown): Fault | null {
  if (typeof value !== 'object' || value === null) return null;
  const { code, message, hint, status } = value as Line;
  if (typeof code !== 'string' || typeof message !== 'string') return null;
  return {
    code: code as Fault['code'],
    message: sanitizeLine(message),
    hint: typeof hint === 'string' ? sanitizeLine(hint) : null,
    status: numberOf(status),
  };
}

function titleOf(turns: readonly Turn[]): string {
  return turns[0]?.prompt.trim().split('\n', 1)[0]?.slice(0, 60) ?? '';
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
