import { withSigns } from '../../widgets/glyphs.js';
import { fitRow } from '../../widgets/rows.js';
import { formatClockSeconds, formatCount, formatDuration, formatSpeed } from '../../widgets/text/format.js';
import { EMPTY_ROW, span, type Row, type Span } from '../../widgets/text/span.js';
import { padEnd } from '../../widgets/text/truncate.js';
import { stringWidth } from '../../widgets/text/width.js';
import { wrapText } from '../../widgets/text/wrap.js';
import type { Glyphs } from '../../widgets/widget.js';
import type { Aftermath, EarlierRuns, FigureName, Phase, Turn, Usage } from '../domain/chat.js';
import { LOG_WARNING_WORDS } from '../domain/log-warnings.js';
import { samplingText } from '../domain/sampling.js';
import { turnById, type State } from '../state/state.js';
import { speedOf } from './figures.js';
import { unreadText } from './turn-footers.js';

/** A line of the details: what it is, its value, and what told it (empty where that says nothing). */
type Fact = readonly [name: string, value: string, source: string];

interface Section {
  readonly title: string;
  readonly facts: readonly Fact[];
}

const CLOCKED = 'clocked here';
const COUNTED = 'counted here';
/** The server told it, and the backend does not say in which field. */
const TOLD = 'told by the server';
const INDENT = 3;
const NAME_COLUMNS = 15;
const VALUE_COLUMNS = 25;
/** Where there is less room the source stands under its value, as it does under a long one. */
const NARROWEST_TABLE = 64;

const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  sending: 'until heard of',
  queued: 'in the queue',
  loading: 'loading',
  prefill: 'reading',
  thinking: 'thinking',
  answering: 'answering',
};

/** Everything that is known of one answer, with what told it; `turnId` names a turn of the open chat. */
export function answerDetailRows(
  state: State,
  turnId: string | null,
  width: number,
  glyphs: Glyphs,
): readonly Row[] {
  const turn = turnById(state, turnId);
  const sections: readonly Section[] = turn
    ? [
        { title: 'Answer', facts: answerFacts(turn) },
        { title: 'Phases', facts: phaseFacts(turn, state.mono) },
        { title: 'Figures', facts: figureFacts(turn, state.mono) },
        { title: 'Context', facts: contextFacts(turn) },
        { title: 'Log', facts: logFacts(turn) },
      ]
    : [{ title: 'Answer', facts: [['', 'it is not in this chat any more', '']] }];
  const rows: Row[] = [];
  for (const { title, facts } of sections) {
    const shown = facts.filter(([, value]) => value !== '');
    if (shown.length === 0) continue;
    if (rows.length > 0) rows.push(EMPTY_ROW);
    rows.push({ spans: [span(` ${title}`, 'title')] });
    for (const fact of shown) rows.push(...factRows(fact, width, glyphs));
  }
  return rows;
}

function factRows([name, value, source]: Fact, width: number, glyphs: Glyphs): readonly Row[] {
  const text = withSigns(value, glyphs);
  const from = withSigns(source, glyphs);
  const left = INDENT + NAME_COLUMNS;
  const lead = (i: number): Span =>
    span(' '.repeat(INDENT) + padEnd(i === 0 ? name : '', NAME_COLUMNS), 'muted');
  const wrapped = (words: string, columns: number): readonly string[] =>
    wrapText(words, Math.max(1, width - columns - 1));
  if (from !== '' && width >= NARROWEST_TABLE && stringWidth(text) < VALUE_COLUMNS)
    return wrapped(from, left + VALUE_COLUMNS).map((line, i) =>
      fitRow([lead(i), span(padEnd(i === 0 ? text : '', VALUE_COLUMNS)), span(line, 'muted')], width),
    );
  const values = wrapped(text, left).map((line) => span(line));
  const sources = from === '' ? [] : wrapped(from, left).map((line) => span(line, 'muted'));
  return [...values, ...sources].map((line, i) => fitRow([lead(i), line], width));
}

function answerFacts(turn: Turn): readonly Fact[] {
  const { fault, fellBackFrom, aftermath } = turn;
  const answered = turn.answeredBy ?? turn.modelLabel;
  return [
    ['asked', `${turn.modelLabel} at ${formatClockSeconds(turn.askedAt)}`, ''],
    [
      'answered',
      answered === turn.modelLabel ? 'by this model' : `by ${answered}`,
      turn.answeredBy ? TOLD : '',
    ],
    ['server', turn.backendTitle, ''],
    ['asked with', samplingText(turn.sampling), ''],
    ['outcome', turn.outcome ?? 'it runs', ''],
    ['end reason', turn.endReason ?? '—', turn.endReason ? TOLD : ''],
    ['fault', fault ? fault.message : '', ''],
    ['status', fault?.status ? String(fault.status) : '', ''],
    ['next step', fault?.hint ?? '', ''],
    ...fellBackFrom.map(({ modelLabel, backendTitle, fault: why }): Fact => [
      'fell back from',
      `${modelLabel} (${backendTitle}): ${why.message}`,
      '',
    ]),
    ['gone on with', turn.earlier ? goneOnText(turn.earlier) : '', ''],
    ['after the stop', aftermath ? afterStop(aftermath) : '', aftermath?.source ?? ''],
    ...turn.notes.map((note): Fact => ['note', note, '']),
  ];
}

/** The figures below are those of the last run. */
function goneOnText({ runs, ms }: EarlierRuns): string {
  return `${runs === 1 ? 'once' : `${runs} times`}, after ${formatDuration(ms)}; the rest is about the last run`;
}

function afterStop({ state, source }: Aftermath): string {
  return state === 'unknown' && source !== null ? 'the server was not seen idle' : AFTERMATH_WORDS[state];
}

const AFTERMATH_WORDS = {
  watching: 'the server is being looked at',
  working: 'the server goes on working',
  idle: 'the server stopped',
  unknown: 'this server does not tell',
} as const;

function phaseFacts(turn: Turn, now: number): readonly Fact[] {
  const end = turn.endedMono ?? Math.max(now, turn.phases.at(-1)?.mono ?? 0);
  return turn.phases.map(({ phase, mono }, i): Fact => {
    const ms = Math.max(0, (turn.phases[i + 1]?.mono ?? end) - mono);
    const seen =
      phase === 'queued' || phase === 'loading' || phase === 'prefill' ? turn.sources[phase] : undefined;
    const known = seen === undefined ? CLOCKED : `${CLOCKED} (${seen})`;
    return [PHASE_WORDS[phase], formatDuration(ms) + progressOf(turn, phase), known];
  });
}

function progressOf(turn: Turn, phase: Phase): string {
  if (phase === 'queued' && turn.queuePosition !== null) return `, place ${formatCount(turn.queuePosition)}`;
  if (phase !== 'prefill' || !turn.prefill || turn.prefill.total === 0) return '';
  return `, ${formatCount(turn.prefill.processed)} of ${formatCount(turn.prefill.total)} tok`;
}

function figureFacts(turn: Turn, now: number): readonly Fact[] {
  const { usage } = turn;
  const told = (name: string, key: keyof Usage & FigureName, format: (value: number) => string): Fact => {
    const value = usage[key];
    return value === null ? [name, '—', ''] : [name, format(value), turn.sources[key] ?? TOLD];
  };
  const end = turn.endedMono ?? now;
  const speed = speedOf(turn, turn.pieces, end);
  return [
    told('prompt', 'promptTokens', (n) => `${formatCount(n)} tokens`),
    told('  of it cached', 'cachedTokens', (n) => `${formatCount(n)} tokens`),
    usage.answerTokens === null
      ? ['answer', `≈ ${formatCount(turn.pieces)} tokens`, `${COUNTED}: pieces that came`]
      : told('answer', 'answerTokens', (n) => `${formatCount(n)} tokens`),
    told('load time', 'loadMs', formatDuration),
    told('prompt time', 'promptMs', formatDuration),
    told('prompt speed', 'promptPerSecond', formatSpeed),
    told('answer time', 'answerMs', formatDuration),
    speed.estimated && speed.perSecond !== null
      ? ['answer speed', `≈ ${formatSpeed(speed.perSecond)}`, COUNTED]
      : told('answer speed', 'answerPerSecond', formatSpeed),
    [
      'first token',
      turn.firstTokenMono === null ? '—' : `after ${formatDuration(turn.firstTokenMono - turn.startedMono)}`,
      turn.firstTokenMono === null ? '' : CLOCKED,
    ],
    ['in all', formatDuration(end - turn.startedMono), CLOCKED],
  ];
}

function contextFacts({ truncation, droppedTurns }: Turn): readonly Fact[] {
  const left = droppedTurns.length;
  return [
    ['not seen', truncation ? unreadText(truncation) : '', truncation?.source ?? ''],
    [
      'left out',
      left === 0 ? '' : left === 1 ? '1 earlier question' : `${left} earlier questions`,
      left === 0 ? '' : 'chosen when the context was full',
    ],
  ];
}

/** What the log of the server warned of while it answered. */
function logFacts({ logWarnings, requestId }: Turn): readonly Fact[] {
  return [
    ['request', requestId ?? '', requestId === null ? '' : TOLD],
    ...logWarnings.map(({ kind, at, source, text }): Fact => [
      formatClockSeconds(at),
      `${LOG_WARNING_WORDS[kind].title}: ${text}`,
      `log ${source}`,
    ]),
  ];
}
