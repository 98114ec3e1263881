import type { Backend, ChatEvent } from '../backends/backend.js';
import type { AppEvent } from '../events/catalogue.js';
import { messageOf } from '../errors.js';
import type { ChatMessage } from '../domain/chat.js';
import { fits, mayOverflow } from '../domain/context-room.js';
import type { Model } from '../domain/model.js';
import { limitsOf } from '../domain/limits.js';
import { createSeam, type Seam } from '../domain/seam.js';
import type { Settings } from '../domain/settings.js';
import type { Effect } from '../state/effect.js';
import { createSanitizer, sanitizeLine } from '../../widgets/text/sanitize.js';

export interface ChatEffects {
  start(effect: Extract<Effect, { type: 'chat.start' }>): void;
  /** Closes the socket of a running answer at once. */
  cancel(turnId: string): void;
  cancelAll(): void;
}

interface Asked {
  readonly backend: Backend;
  readonly model: Model;
}

export interface ChatEffectsOptions {
  readonly publish: (event: AppEvent) => void;
  readonly backendOf: (modelKey: string) => Promise<Asked | null>;
  readonly settings: () => Settings;
  /** A request goes to this server now. */
  readonly onRequest: (backendId: string) => void;
}

/** Runs answers: one stream of a backend becomes `turn.*` events. Text is sanitised here, at the door. */
export function createChatEffects(options: ChatEffectsOptions): ChatEffects {
  const { publish } = options;
  const running = new Map<string, AbortController>();

  async function run(
    turnId: string,
    modelKey: string,
    effect: Extract<Effect, { type: 'chat.start' }>,
  ): Promise<void> {
    const abort = new AbortController();
    running.set(turnId, abort);
    const found = await options.backendOf(modelKey);
    if (abort.signal.aborted) return;
    if (!found) {
      running.delete(turnId);
      publish({
        type: 'turn.ended',
        turnId,
        outcome: 'failed',
        reason: null,
        fault: {
          code: 'unknown-model',
          message: 'this model is gone',
          hint: 'Ctrl+O chooses another.',
          status: null,
        },
      });
      return;
    }
    const held = await heldBack(found, effect, abort.signal);
    if (abort.signal.aborted) return;
    if (held) {
      running.delete(turnId);
      publish({ type: 'turn.held', turnId, ...held });
      return;
    }
    publish({ type: 'turn.started', turnId });
    options.onRequest(found.backend.info.id);
    const settings = options.settings();
    const { firstByteMs, idleMs } = limitsOf(settings, found.backend.info.url);
    const { messages } = effect;
    const request = {
      model: found.model,
      messages,
      contextTokens: effect.contextTokens,
      sampling: effect.sampling,
      continues: effect.goesOn === 'prefill',
      // Others were asked for a count before.
      keepsRoom: effect.room !== null && !found.backend.countTokens,
      keepAlive: settings.keepAlive,
      firstByteTimeoutMs: firstByteMs ?? 0,
      idleTimeoutMs: idleMs ?? 0,
    };
    const toEvent = createTurnEvents(turnId, effect.goesOn === 'words' ? seamAfter(messages) : null);
    try {
      for await (const event of found.backend.chat(request, abort.signal)) {
        // What the server has to say about the stop still counts.
        if (abort.signal.aborted && event.type !== 'note') continue;
        const full = request.keepsRoom ? figuresOfFull(event) : null;
        if (full) publish({ type: 'turn.held', turnId, ...full });
        else for (const out of toEvent(event)) publish(out);
      }
    } catch (error) {
      // A backend never throws here; if it does, the turn must not hang.
      if (!abort.signal.aborted)
        publish({
          type: 'turn.ended',
          turnId,
          outcome: 'broken',
          reason: null,
          fault: { code: 'broken', message: messageOf(error), hint: 'r asks again.', status: null },
        });
    } finally {
      running.delete(turnId);
    }
  }

  return {
    start: (effect) => void run(effect.turnId, effect.modelKey, effect),
    cancel(turnId) {
      running.get(turnId)?.abort();
      running.delete(turnId);
    },
    cancelAll() {
      for (const abort of running.values()) abort.abort();
      running.clear();
    },
  };
}

interface Held {
  readonly promptTokens: number | null;
  readonly contextTokens: number | null;
}

/** A count is one more request before the first token: longer than this it is not waited for. */
const COUNT_LIMIT_MS = 3000;

/** Has a message counted that may be too long. Null: it goes out. */
async function heldBack(
  { backend, model }: Asked,
  { room, messages, sampling: { maxTokens } }: Extract<Effect, { type: 'chat.start' }>,
  signal: AbortSignal,
): Promise<Held | null> {
  if (room === null || !backend.countTokens) return null;
  const { contextTokens, estimatedTokens } = room;
  if (contextTokens === null || !mayOverflow(estimatedTokens, contextTokens, maxTokens)) return null;
  const limited = AbortSignal.any([signal, AbortSignal.timeout(COUNT_LIMIT_MS)]);
  const promptTokens = await backend.countTokens(model, messages, limited).catch(() => null);
  const fit = fits(promptTokens ?? estimatedTokens, contextTokens, maxTokens);
  return fit ? null : { promptTokens, contextTokens };
}

/** What counts by itself says so as the end of the answer, with both figures. */
function figuresOfFull(event: ChatEvent): Held | null {
  if (event.type !== 'ended' || event.fault?.code !== 'context-full') return null;
  const { promptTokens, contextTokens } = event.fault;
  return promptTokens === undefined || contextTokens === undefined ? null : { promptTokens, contextTokens };
}

/** The text so far stands before the words that ask to go on. */
function seamAfter(messages: readonly ChatMessage[]): Seam {
  return createSeam(messages.findLast((message) => message.role === 'assistant')?.content ?? '');
}

/** Translates one stream's events; holds what a split escape sequence or surrogate pair leaves over, and what a seam may cut. */
export function createTurnEvents(turnId: string, seam: Seam | null = null): (event: ChatEvent) => AppEvent[] {
  const answer = createSanitizer();
  const thinking = createSanitizer();
  let heldPieces = 0;
  return (event) => {
    switch (event.type) {
      case 'sent':
        return [];
      case 'queued':
        return [
          {
            type: 'turn.queued',
            turnId,
            position: event.position ?? null,
            source: event.source ?? null,
          },
        ];
      case 'loading':
        return [{ type: 'turn.loading', turnId, progress: event.progress, source: event.source ?? null }];
      case 'prefill':
        return [{ type: 'turn.prefill', turnId, progress: event.progress, source: event.source ?? null }];
      case 'reasoning': {
        const text = thinking.push(event.text);
        return text === '' ? [] : [{ type: 'turn.reasoning.delta', turnId, text, pieces: event.pieces ?? 1 }];
      }
      case 'text': {
        const clean = answer.push(event.text);
        const text = seam ? seam.push(clean) : clean;
        const pieces = heldPieces + (event.pieces ?? 1);
        heldPieces = text === '' && seam ? pieces : 0;
        return text === '' ? [] : [{ type: 'turn.text.delta', turnId, text, pieces }];
      }
      case 'usage':
        return [{ type: 'turn.usage', turnId, usage: event.usage, source: event.source ?? null }];
      case 'truncated':
        return [{ type: 'turn.truncated', turnId, truncation: event.truncation }];
      case 'answering-model':
        return [{ type: 'turn.answered-by', turnId, name: sanitizeLine(event.name) }];
      case 'request':
        return [{ type: 'turn.identified', turnId, requestId: sanitizeLine(event.id) }];
      case 'note':
        return [{ type: 'turn.noted', turnId, text: sanitizeLine(event.text) }];
      case 'ended': {
        const rest: AppEvent[] = [];
        const thought = thinking.end();
        if (thought !== '') rest.push({ type: 'turn.reasoning.delta', turnId, text: thought, pieces: 0 });
        const last = answer.end();
        const text = seam ? seam.push(last) + seam.end() : last;
        if (text !== '') rest.push({ type: 'turn.text.delta', turnId, text, pieces: heldPieces });
        rest.push({
          type: 'turn.ended',
          turnId,
          outcome: event.outcome,
          reason: event.reason,
          fault: event.fault,
        });
        return rest;
      }
    }
  };
}
