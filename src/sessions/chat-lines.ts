import type { EarlierRuns, FellBack, Outcome, Phase, Truncation, Turn, Usage } from '../domain/chat.js';
import { samplingText } from '../domain/sampling.js';
import type { Fault } from '../domain/fault.js';

/**
 * The lines of a chat's file, one JSON object each. A line may stand twice (after a failed or hurried write it is written again), so
 * each says where it belongs and reading the same one again changes nothing.
 */
export type ChatLine = HeaderLine | PromptLine | DeltaLine | EndLine | ContinueLine;

export interface HeaderLine {
  readonly t: 'chat';
  readonly v: 1;
  readonly id: string;
  readonly title: string;
  /** Epoch ms. */
  readonly at: number;
  /** The chat that this one is a copy of. */
  readonly forkedFrom?: string;
}

export interface PromptLine {
  readonly t: 'prompt';
  readonly turn: string;
  readonly at: number;
  readonly text: string;
  readonly modelKey: string;
  readonly model: string;
  readonly backend: string;
  /** Models that were asked before and could not start. */
  readonly fellBackFrom?: readonly FellBack[];
  /** Ids of earlier turns that were left out. */
  readonly dropped?: readonly string[];
}

/** A piece of the thinking or the answer that begins at an offset (UTF-16 units). */
export interface Piece {
  readonly from: number;
  readonly text: string;
}

export interface DeltaLine {
  readonly t: 'delta';
  readonly turn: string;
  /** Since the prompt, or since the answer was gone on with. */
  readonly ms: number;
  readonly thinking?: Piece;
  readonly answer?: Piece;
}

/**
 * The answer was gone on with: what stands before is its earlier part, and an end of an earlier run is none any more. Lines of two runs
 * may stand in any order after a hurried write, so each end tells its run.
 */
export interface ContinueLine extends EarlierRuns {
  readonly t: 'continue';
  readonly turn: string;
  readonly notes: readonly string[];
}

export interface EndLine {
  readonly t: 'end';
  readonly turn: string;
  /** How many runs came before; absent: none. */
  readonly runs?: number;
  readonly outcome: Outcome;
  readonly reason: string | null;
  readonly fault: Fault | null;
  readonly usage: Usage;
  readonly pieces: number;
  readonly answeredBy: string | null;
  readonly notes: readonly string[];
  /** All since the prompt, or since the answer was gone on with, in ms. */
  readonly firstMs: number | null;
  readonly endMs: number | null;
  readonly phases: readonly (readonly [Phase, number])[];
  /** What told the figures and phases. */
  readonly sources?: Turn['sources'];
  readonly truncation?: Truncation;
  /** Absent: all as the server has it. */
  readonly sampling?: Turn['sampling'];
  readonly requestId?: string;
  readonly logWarnings?: Turn['logWarnings'];
}

/** Begins every prompt line; the list of chats counts them without parsing. */
export const PROMPT_LINE_START = '{"t":"prompt"';

export function promptLine(turn: Turn): PromptLine {
  return {
    t: 'prompt',
    turn: turn.id,
    at: turn.askedAt,
    text: turn.prompt,
    modelKey: turn.modelKey,
    model: turn.modelLabel,
    backend: turn.backendTitle,
    ...(turn.fellBackFrom.length > 0 ? { fellBackFrom: turn.fellBackFrom } : {}),
    ...(turn.droppedTurns.length > 0 ? { dropped: turn.droppedTurns } : {}),
  };
}

export function continueLine(turn: Turn, earlier: EarlierRuns): ContinueLine {
  return { t: 'continue', turn: turn.id, ...earlier, notes: turn.notes };
}

export function endLine(turn: Turn, outcome: Outcome): EndLine {
  const since = (mono: number | null) => (mono === null ? null : Math.round(mono - turn.startedMono));
  return {
    t: 'end',
    turn: turn.id,
    ...(turn.earlier ? { runs: turn.earlier.runs } : {}),
    outcome,
    reason: turn.endReason,
    fault: turn.fault,
    usage: turn.usage,
    pieces: turn.pieces,
    answeredBy: turn.answeredBy,
    notes: turn.notes,
    firstMs: since(turn.firstTokenMono),
    endMs: since(turn.endedMono),
    phases: turn.phases.map(({ phase, mono }) => [phase, since(mono) ?? 0] as const),
    ...(Object.keys(turn.sources).length > 0 ? { sources: turn.sources } : {}),
    ...(turn.truncation ? { truncation: turn.truncation } : {}),
    ...(samplingText(turn.sampling) === '' ? {} : { sampling: turn.sampling }),
    ...(turn.requestId === null ? {} : { requestId: turn.requestId }),
    ...(turn.logWarnings.length > 0 ? { logWarnings: turn.logWarnings } : {}),
  };
}
