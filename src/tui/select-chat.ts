import type { HeaderProps } from '../../widgets/header.js';
import type { KeyHint, PhaseBarProps, PhaseStep } from '../../widgets/phase-bar.js';
import { formatCount, formatDuration, formatPercent, formatSpeed } from '../../widgets/text/format.js';
import type { Phase, Turn } from '../domain/chat.js';
import { backendById, modelByKey, type ChatState, type State } from '../state/state.js';
import { speedOf } from './figures.js';
import type { Keymap } from './keymap.js';
import { figuresOfTurn } from './transcript-entries.js';

/** What answers, how full its context is, which chat this is. */
export function selectHeader(state: State): HeaderProps {
  const model = modelByKey(state, state.models.selected);
  const last = state.chat.live ?? state.chat.done.at(-1) ?? null;
  const used = contextUsed(state.chat);
  const full = last?.fault?.code === 'context-full' ? last.fault : null;
  return {
    model: model?.label ?? null,
    backend: model ? (backendById(state, model.backendId)?.info.title ?? null) : null,
    context: {
      usedTokens: used.tokens,
      estimated: used.estimated,
      allocatedTokens: model?.contextAllocated ?? null,
      modelTokens: model?.contextMax ?? null,
    },
    warning: full ? contextWarning(full.promptTokens, full.contextTokens) : null,
    title: state.chat.title || 'new chat',
  };
}

function contextWarning(prompt: number | undefined, context: number | undefined): string {
  if (prompt === undefined || context === undefined) return 'context full: nothing was sent on';
  return `context full: ${formatCount(prompt)} of ${formatCount(context)} tokens`;
}

/**
 * Prompt and answer of the last turn whose figures the server told stand in the context; pieces stand in for the tokens of what came
 * after them. Unknown before the first figures.
 */
function contextUsed({ live, done }: ChatState): { tokens: number | null; estimated: boolean } {
  let later = 0;
  for (let i = live ? done.length : done.length - 1; i >= 0; i--) {
    const turn = i === done.length ? live : done[i];
    if (!turn) continue;
    const { promptTokens, answerTokens } = turn.usage;
    if (promptTokens === null) {
      later += turn.pieces;
      continue;
    }
    const newest = turn === (live ?? done.at(-1));
    return {
      tokens: promptTokens + (answerTokens ?? turn.pieces) + later,
      estimated: !newest || answerTokens === null,
    };
  }
  return { tokens: null, estimated: false };
}

const STEP_WORDS: Readonly<Record<Phase, string>> = {
  sending: 'wait',
  queued: 'queue',
  loading: 'load',
  prefill: 'prompt',
  thinking: 'thinking',
  answering: 'answer',
};

/** The life of the running answer, or the figures of the last one with the keys of the pane. */
export function selectPhaseBar(state: State, keymap: Keymap): PhaseBarProps {
  const { live } = state.chat;
  if (live) return { steps: stepsOf(live, state), idle: [], keys: runningKeys(keymap) };
  const last = state.chat.done.at(-1);
  return { steps: [], idle: last ? lastLine(last) : idleLine(state), keys: paneKeys(state, keymap) };
}

function stepsOf(turn: Turn, state: State): readonly PhaseStep[] {
  const now = Math.max(state.mono, turn.phases.at(-1)?.mono ?? 0);
  // A wait that took no time is not worth its place once something happened.
  const phases = turn.phases.filter(
    (p, i, all) => p.phase !== 'sending' || all.length === 1 || (all[i + 1]?.mono ?? now) - p.mono >= 100,
  );
  return phases.map((p, i) => {
    const current = i === phases.length - 1;
    const ms = (phases[i + 1]?.mono ?? now) - p.mono;
    return {
      label: STEP_WORDS[p.phase],
      ...figuresOf(turn, p.phase, ms, current, state),
      state: current ? 'current' : 'done',
    };
  });
}

interface Figures {
  readonly figures: readonly string[];
  readonly estimated: boolean;
}

function figuresOf(turn: Turn, phase: Phase, ms: number, current: boolean, state: State): Figures {
  if (phase === 'answering' || (phase === 'thinking' && current)) return tokenFigures(turn, phase, ms, state);
  if (current && phase === 'prefill' && turn.prefill && turn.prefill.total > 0)
    return { figures: [formatPercent(turn.prefill.processed / turn.prefill.total)], estimated: false };
  if (current && phase === 'loading' && turn.loadProgress !== null)
    return { figures: [formatPercent(turn.loadProgress)], estimated: false };
  if (phase === 'loading' && turn.usage.loadMs !== null)
    return { figures: [formatDuration(turn.usage.loadMs)], estimated: false };
  if (phase === 'prefill' && !current && turn.usage.promptMs !== null)
    return { figures: [formatDuration(turn.usage.promptMs)], estimated: false };
  return {
    figures: ms >= 100 ? [formatDuration(current ? Math.floor(ms / 1000) * 1000 : ms)] : [],
    estimated: false,
  };
}

function tokenFigures(turn: Turn, phase: Phase, ms: number, state: State): Figures {
  const pieces = state.chat.shownPieces;
  const speed = speedOf(turn, pieces, state.chat.shownMono);
  const told = turn.usage.answerTokens;
  const parts = [
    speed.perSecond === null ? '' : formatSpeed(speed.perSecond),
    phase === 'thinking' && turn.answer.length > 0 ? '' : `${formatCount(told ?? pieces)} tok`,
    ms >= 1000 ? formatDuration(Math.floor(ms / 1000) * 1000) : '',
  ];
  return { figures: parts.filter((p) => p !== ''), estimated: told === null || speed.estimated };
}

function lastLine(turn: Turn): readonly string[] {
  const outcome = turn.outcome === null || turn.outcome === 'complete' ? [] : [turn.outcome];
  const parts = [...outcome, ...figuresOfTurn(turn)];
  return parts.length > 0 ? parts : ['ready'];
}

function idleLine(state: State): readonly string[] {
  if (state.models.selected !== null) return ['ready'];
  return [state.models.searched ? 'no model yet' : 'looking for servers'];
}

function runningKeys(keymap: Keymap): readonly KeyHint[] {
  return [
    { key: keymap.keyOf('escape'), does: 'stop' },
    { key: keymap.keyOf('menu.open'), does: 'menu' },
    { key: keymap.keyOf('keys.open'), does: 'keys' },
  ];
}

function paneKeys(state: State, keymap: Keymap): readonly KeyHint[] {
  const { pane } = state.view;
  const own = keymap.bindings
    .filter((b) => b.where === pane && b.hint !== undefined && b.keys.length > 0 && pane !== 'message')
    .map((b) => ({ key: keymap.keyOf(b.id), does: b.hint ?? '' }));
  const always = [
    { key: keymap.keyOf('model.pick'), does: 'model' },
    { key: keymap.keyOf('menu.open'), does: 'menu' },
    { key: keymap.keyOf('keys.open'), does: 'keys' },
  ];
  if (pane === 'message') return [...always, { key: keymap.keyOf('pane.next'), does: 'panes' }];
  return [...own, ...always.filter((a) => own.every((o) => o.key !== a.key))];
}
