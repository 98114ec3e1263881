import type { HeaderProps } from '../../widgets/header.js';
import type { KeyHint, PhaseBarProps, PhaseStep } from '../../widgets/phase-bar.js';
import {
  formatCount,
  formatDuration,
  formatPercent,
  formatSpeed,
  formatTokens,
} from '../../widgets/text/format.js';
import type { Phase, Turn } from '../domain/chat.js';
import { allocatedFor, contextUsed, nextTokens, reserveIn } from '../state/context.js';
import { backendById, modelByKey, type State } from '../state/state.js';
import { speedOf } from './figures.js';
import type { Keymap } from './keymap.js';
import { figuresOfTurn, unreadText } from './transcript-entries.js';

/** What answers, how full its context is, which chat this is. */
export function selectHeader(state: State): HeaderProps {
  const model = modelByKey(state, state.models.selected);
  const used = contextUsed(state.chat);
  const next = nextTokens(state);
  return {
    model: model?.label ?? null,
    backend: model ? (backendById(state, model.backendId)?.info.title ?? null) : null,
    context: {
      usedTokens: used.tokens,
      estimated: used.estimated,
      nextTokens: next,
      allocatedTokens: model?.contextAllocated ?? null,
      modelTokens: model?.contextMax ?? null,
    },
    warning: contextWarning(state, next),
    title: state.chat.title || 'new chat',
  };
}

/** What is typed would not fit, or the last request was cut or refused. */
function contextWarning(state: State, next: number | null): string | null {
  const model = modelByKey(state, state.models.selected);
  if (next !== null && model) {
    const allocated = allocatedFor(state, model);
    return allocated !== null && next + reserveIn(allocated) > allocated
      ? `would not fit: ≈ ${formatTokens(next)} of ${formatTokens(allocated)} tokens`
      : null;
  }
  const last = state.chat.live ?? state.chat.done.at(-1);
  if (last?.truncation) return `not all was read: ${unreadText(last.truncation)}`;
  if (last?.fault?.code !== 'context-full') return null;
  const { promptTokens, contextTokens } = last.fault;
  if (promptTokens === undefined || contextTokens === undefined) return 'context full: nothing was sent on';
  return `context full: ${formatCount(promptTokens)} of ${formatCount(contextTokens)} tokens`;
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
  if (current && phase === 'queued' && turn.queuePosition !== null)
    return told(`place ${formatCount(turn.queuePosition)}`, waited(ms));
  if (current && phase === 'prefill' && turn.prefill && turn.prefill.total > 0) {
    const { processed, total } = turn.prefill;
    return told(formatPercent(processed / total), `${formatCount(processed)} of ${formatCount(total)} tok`);
  }
  if (current && phase === 'loading') {
    const progress = turn.loadProgress ?? modelByKey(state, turn.modelKey)?.loadProgress ?? null;
    if (progress !== null) return told(formatPercent(progress), waited(ms));
  }
  if (phase === 'loading' && turn.usage.loadMs !== null) return told(formatDuration(turn.usage.loadMs));
  if (phase === 'prefill' && !current && turn.usage.promptMs !== null)
    return told(formatDuration(turn.usage.promptMs));
  return told(current ? waited(ms) : ms >= 100 ? formatDuration(ms) : '');
}

function told(...figures: readonly string[]): Figures {
  return { figures: figures.filter((figure) => figure !== ''), estimated: false };
}

/** In whole seconds, so that nothing moves more often; nothing during the first one. */
function waited(ms: number): string {
  return ms >= 1000 ? formatDuration(Math.floor(ms / 1000) * 1000) : '';
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
