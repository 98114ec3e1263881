import type { HeaderProps } from '../../widgets/header.js';
import type { KeyHint, PhaseBarProps, PhaseStep } from '../../widgets/phase-bar.js';
import {
  formatCount,
  formatDuration,
  formatPercent,
  formatSpeed,
  formatTokens,
} from '../../widgets/text/format.js';
import { type Phase, prefillShare, type Turn } from '../domain/chat.js';
import { fits } from '../domain/context-room.js';
import { hardStop, isIdleNews } from '../state/aftermath.js';
import { allocatedFor, contextUsed, nextTokens } from '../state/context.js';
import { secondsToWait } from '../state/retry-after.js';
import { knownOfWait } from '../state/silence.js';
import { backendById, modelByKey, type SetUpJob, type State } from '../state/state.js';
import { isTurnLogFocused } from '../state/turn-log.js';
import { speedOf } from './figures.js';
import type { Keymap } from './keymap.js';
import { fallBackOffer } from './fall-back-offer.js';
import { jobLine } from './set-up-figures.js';
import { figuresOfTurn, unreadText } from './turn-footers.js';

/** What answers, how full its context is, which chat this is. */
export function selectHeader(state: State): HeaderProps {
  const model = modelByKey(state, state.models.selected);
  const used = contextUsed(state.chat, state.models.selected);
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
    return allocated !== null && !fits(next, allocated, state.settings.maxTokens)
      ? `would not fit: ≈ ${formatTokens(next)} of ${formatTokens(allocated)} tokens`
      : null;
  }
  const counted = state.chat.live ? undefined : state.chat.unsent?.counted;
  if (counted) return fullWords(counted.promptTokens, counted.contextTokens);
  const last = state.chat.live ?? state.chat.done.at(-1);
  if (last?.truncation) return `not all was read: ${unreadText(last.truncation)}`;
  if (last?.fault?.code !== 'context-full') return null;
  const { promptTokens, contextTokens } = last.fault;
  if (promptTokens === undefined || contextTokens === undefined) return 'context full: nothing was sent on';
  return fullWords(promptTokens, contextTokens);
}

function fullWords(promptTokens: number, contextTokens: number): string {
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
  if (live) return { steps: stepsOf(live, state), idle: [], keys: runningKeys(state, keymap) };
  const { job } = state.setUp;
  if (job) return { steps: [jobStep(job, state.mono)], idle: [], keys: jobKeys(state, keymap) };
  const last = state.chat.done.at(-1);
  return {
    steps: [],
    idle: last ? lastLine(last, state) : idleLine(state),
    keys: [...urgentKeys(state, keymap), ...paneKeys(state, keymap)],
  };
}

/** The engine and a model that are being fetched. */
function jobStep(job: SetUpJob, mono: number): PhaseStep {
  const { figures, words } = jobLine(job, mono);
  return {
    label: `get ${job.title}`,
    figures: figures.length > 0 ? figures : [words],
    estimated: figures.length > 0 && job.estimated,
    state: 'current',
  };
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
      label: current && isLongWait(p.phase, state) ? 'waiting for the model' : STEP_WORDS[p.phase],
      ...withSilence(figuresOf(turn, p.phase, ms, current, state), turn, p.phase, current, state),
      state: current ? 'current' : 'done',
    };
  });
}

interface Figures {
  readonly figures: readonly string[];
  readonly estimated: boolean;
}

/** Nothing was heard of a request for so long. */
const WAITING_MS = 5000;
const LONG_WAIT_MS = 30_000;
/** Nothing more was heard of an answer for so long. */
const SILENT_MS = 20_000;

function isLongWait(phase: Phase, { chat }: State): boolean {
  return phase === 'sending' && chat.silence.ms >= WAITING_MS;
}

/** What takes long is said with what is known of it. Nothing here ends a wait. */
function withSilence(figures: Figures, turn: Turn, phase: Phase, current: boolean, state: State): Figures {
  const { ms } = state.chat.silence;
  if (!current) return figures;
  const more = (...texts: readonly string[]): Figures => ({
    ...figures,
    figures: [...figures.figures, ...texts],
  });
  if (phase === 'answering' || phase === 'thinking')
    return ms >= SILENT_MS ? more(`no text for ${inSeconds(ms)}`) : figures;
  if (phase === 'sending' && ms >= WAITING_MS) {
    const known = ms >= LONG_WAIT_MS ? knownOfWait(state, turn.modelKey) : [];
    return told(inSeconds(ms), ...known);
  }
  return phase !== 'sending' && ms >= LONG_WAIT_MS ? more(`no news for ${inSeconds(ms)}`) : figures;
}

/** Whole seconds: `23 s`, `20m 00s`. */
function inSeconds(ms: number): string {
  const whole = Math.floor(ms / 1000);
  return whole < 60 ? `${whole} s` : formatDuration(whole * 1000);
}

function figuresOf(turn: Turn, phase: Phase, ms: number, current: boolean, state: State): Figures {
  if (phase === 'answering' || (phase === 'thinking' && current)) return tokenFigures(turn, phase, ms, state);
  if (current && phase === 'queued' && turn.queuePosition !== null)
    return told(`place ${formatCount(turn.queuePosition)}`, waited(ms));
  const share = current && phase === 'prefill' && turn.prefill ? prefillShare(turn.prefill) : null;
  if (share !== null && turn.prefill) {
    const { processed, total } = turn.prefill;
    const tokens = total > 0 ? [`${formatCount(processed)} of ${formatCount(total)} tok`] : [];
    return told(formatPercent(share), ...tokens);
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

/** What stopped answer and its server came to stands before the figures. */
function lastLine(turn: Turn, state: State): readonly string[] {
  const { aftermath } = turn;
  if (isIdleNews(state)) return ['stopped, server idle'];
  if (aftermath?.state === 'watching') return ['cancelled', 'looking whether the server stops, too'];
  if (aftermath?.state === 'working')
    return [`stopped, server still working${aftermath.source === null ? '' : ` (${aftermath.source})`}`];
  const ended = turn.outcome === 'complete' && turn.endReason === 'length' ? 'cut off' : turn.outcome;
  const outcome = ended === null || ended === 'complete' ? [] : [ended];
  const seconds = secondsToWait(state, state.mono);
  const again = seconds > 0 ? [`again in ${seconds} s`] : [];
  const parts = [...outcome, ...again, ...figuresOfTurn(turn)];
  return parts.length > 0 ? parts : ['ready'];
}

function idleLine(state: State): readonly string[] {
  if (state.models.selected !== null) return ['ready'];
  return [state.models.searched ? 'no model yet' : 'looking for servers'];
}

/** What can be done about the last answer, before all else. */
function urgentKeys(state: State, keymap: Keymap): readonly KeyHint[] {
  const keys: KeyHint[] = [];
  if (hardStop(state) !== null) keys.push({ key: keymap.keyOf('turn.hard-stop'), does: 'unload it' });
  if (fallBackOffer(state, keymap) !== null)
    keys.push({ key: keymap.keyOf('turn.fall-back'), does: 'next model' });
  return keys;
}

function runningKeys(state: State, keymap: Keymap): readonly KeyHint[] {
  return [
    ...(isTurnLogFocused(state)
      ? [...backKey(keymap), { key: keymap.keyOf('interrupt'), does: 'stop' }]
      : [{ key: keymap.keyOf('escape'), does: 'stop' }]),
    { key: keymap.keyOf('menu.open'), does: 'menu' },
    { key: keymap.keyOf('keys.open'), does: 'keys' },
    { key: keymap.keyOf('turn.log'), does: 'log' },
  ];
}

function jobKeys({ view }: State, keymap: Keymap): readonly KeyHint[] {
  return [
    { key: keymap.keyOf('escape'), does: view.pane === 'message' ? 'stop' : 'message' },
    { key: keymap.keyOf('menu.open'), does: 'menu' },
    { key: keymap.keyOf('keys.open'), does: 'keys' },
  ];
}

/** In the log of one answer Esc is about that. */
function backKey(keymap: Keymap): readonly KeyHint[] {
  return [{ key: keymap.keyOf('escape'), does: 'back' }];
}

function paneKeys(state: State, keymap: Keymap): readonly KeyHint[] {
  const { pane } = state.view;
  // An empty transcript has nothing to do anything with.
  const hasOwn = pane !== 'message' && (pane !== 'transcript' || state.chat.done.length > 0);
  const own = keymap.bindings
    .filter((b) => hasOwn && b.where === pane && b.hint !== undefined && b.keys.length > 0)
    .map((b) => ({ key: keymap.keyOf(b.id), does: b.hint ?? '' }));
  const always = [
    { key: keymap.keyOf('model.pick'), does: 'model' },
    { key: keymap.keyOf('menu.open'), does: 'menu' },
    { key: keymap.keyOf('keys.open'), does: 'keys' },
  ];
  if (isTurnLogFocused(state)) return [...backKey(keymap), ...own];
  if (!hasOwn) return [...always, { key: keymap.keyOf('pane.next'), does: 'panes' }];
  return [...own, ...always.filter((a) => own.every((o) => o.key !== a.key))];
}
