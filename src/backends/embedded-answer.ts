import { faultFor } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import { NO_SAMPLING } from '../domain/sampling.js';
import type { Engine, ModelToRun } from '../engine/engine-contract.js';
import type { EngineReport } from '../engine/protocol.js';
import type { BackendPorts, ChatEvent, ChatRequest } from './backend.js';
import { clockOf } from './backend-wire.js';
import { embeddedFault, endedFault } from './embedded-fault.js';

const ENGINE = 'engine';

type Told = { readonly report: EngineReport; readonly last: boolean } | { readonly error: unknown };

/** An answer of the engine as the events of a chat, to the `ended` of it. Never throws. A cancel ends it at once; the child follows within a slice. */
export async function* embeddedAnswer(
  engine: Engine,
  run: ModelToRun,
  request: ChatRequest,
  ports: BackendPorts,
  signal: AbortSignal,
): AsyncGenerator<ChatEvent> {
  const told: Told[] = [];
  let wake: () => void = () => undefined;
  const put = (each: Told): void => {
    told.push(each);
    wake();
  };
  const silence = createSilence(ports, () => wake());
  const { messages, continues = false, keepsRoom = false, sampling = NO_SAMPLING } = request;
  const stop = new AbortController();
  const cancel = (): void => stop.abort();
  signal.addEventListener('abort', cancel, { once: true });
  engine
    .chat(
      run,
      { messages, continues, keepsRoom, sampling },
      (report) => put({ report, last: false }),
      stop.signal,
    )
    .then(
      (report) => put({ report, last: true }),
      (error: unknown) => put({ error }),
    );
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort, { once: true });
  let loadMs: number | null = null;
  let answering = false;
  let answerTokens = 0;
  let toldTokens = 0;
  let promptTold = false;
  /** Once for all pieces that came together. */
  function* counts(): Generator<ChatEvent> {
    if (answerTokens > toldTokens) yield { type: 'usage', usage: { answerTokens }, source: ENGINE };
    toldTokens = answerTokens;
  }
  try {
    for (;;) {
      if (signal.aborted) {
        yield* counts();
        return yield ended('cancelled', null);
      }
      const each = told.shift();
      if (!each) {
        yield* counts();
        // Whoever read them may have taken time.
        if (told.length > 0 || signal.aborted) continue;
        silence.arm(answering ? request.idleTimeoutMs : request.firstByteTimeoutMs);
        if (silence.broken !== null) {
          const words = String(Math.round(silence.broken / 1000));
          // A child that hangs in the middle of an answer would let the next one wait for ever.
          if (answering) engine.close();
          return yield ended('broken', faultFor('engine-silent', { words }));
        }
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      // Reading the prompt and loading are progress as well.
      if (answering || 'error' in each || each.report.type === 'piece') silence.reset();
      if ('error' in each) {
        yield* counts();
        return yield ended('broken', embeddedFault(each.error));
      }
      const { report, last } = each;
      if (report.type === 'loaded') loadMs = report.ms;
      if (report.type === 'piece') {
        answering = true;
        answerTokens += report.tokens;
      }
      if (report.type === 'prefill' && !promptTold) {
        promptTold = true;
        yield {
          type: 'usage',
          usage: { promptTokens: report.total, cachedTokens: report.cached },
          source: ENGINE,
        };
      }
      if (report.type === 'failed') {
        if (last) return yield ended('failed', endedFault(report, request.model.label));
        continue;
      }
      if (report.type === 'cancelled' && last) return yield ended('cancelled', null);
      if (report.type === 'answered') {
        yield usageOf(report, loadMs);
        return yield { type: 'ended', outcome: 'complete', reason: report.reason, fault: null };
      }
      const event = eventOf(report);
      if (event) yield event;
    }
  } finally {
    silence.stop();
    // Also when nobody reads any more.
    stop.abort();
    signal.removeEventListener('abort', cancel);
    signal.removeEventListener('abort', onAbort);
  }
}

function ended(outcome: 'cancelled' | 'failed' | 'broken', fault: Fault | null): ChatEvent {
  return { type: 'ended', outcome, reason: null, fault };
}

function eventOf(report: EngineReport): ChatEvent | null {
  switch (report.type) {
    case 'queued':
      return { type: 'queued', position: report.position, source: ENGINE };
    case 'loading':
      return { type: 'loading', progress: report.progress, source: ENGINE };
    case 'prefill': {
      const { processed, total, cached } = report;
      return { type: 'prefill', progress: { processed, total, cached }, source: ENGINE };
    }
    case 'piece':
      return { type: report.thinking ? 'reasoning' : 'text', text: report.text, pieces: report.tokens };
    default:
      return null;
  }
}

function usageOf(
  report: Extract<EngineReport, { readonly type: 'answered' }>,
  loadMs: number | null,
): ChatEvent {
  const { promptTokens, cachedTokens, answerTokens, promptMs, answerMs } = report;
  const perSecond = (tokens: number, ms: number): number | null =>
    tokens > 0 && ms > 0 ? (tokens / ms) * 1000 : null;
  return {
    type: 'usage',
    source: ENGINE,
    usage: {
      promptTokens,
      cachedTokens,
      answerTokens,
      loadMs,
      promptMs,
      answerMs,
      promptPerSecond: perSecond(promptTokens - cachedTokens, promptMs),
      // The time begins with the first token.
      answerPerSecond: perSecond(answerTokens - 1, answerMs),
    },
  };
}

interface Silence {
  /** The limit in ms that was passed; null: none. */
  readonly broken: number | null;
  /** Starts the time, unless it runs. 0: without limit. */
  arm(limitMs: number): void;
  reset(): void;
  stop(): void;
}

function createSilence(ports: BackendPorts, onBroken: () => void): Silence {
  const { after } = clockOf(ports);
  let broken: number | null = null;
  let cancel: (() => void) | null = null;
  const reset = (): void => {
    cancel?.();
    cancel = null;
  };
  return {
    get broken() {
      return broken;
    },
    arm(limitMs) {
      if (cancel || limitMs <= 0) return;
      cancel = after(limitMs, () => {
        broken = limitMs;
        onBroken();
      });
    },
    reset,
    stop: reset,
  };
}
