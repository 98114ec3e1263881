import type { Backend, ChatEvent } from '../backends/backend.js';
import type { AppEvent } from '../events/catalogue.js';
import { messageOf } from '../errors.js';
import type { Model } from '../domain/model.js';
import type { Settings } from '../domain/settings.js';
import type { Effect } from '../state/effect.js';
import { createSanitizer, sanitizeLine } from '../../widgets/text/sanitize.js';

export interface ChatEffects {
  start(effect: Extract<Effect, { type: 'chat.start' }>): void;
  /** Closes the socket of a running answer at once. */
  cancel(turnId: string): void;
  cancelAll(): void;
}

export interface ChatEffectsOptions {
  readonly publish: (event: AppEvent) => void;
  readonly backendOf: (modelKey: string) => { readonly backend: Backend; readonly model: Model } | null;
  readonly settings: () => Settings;
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
    const found = options.backendOf(modelKey);
    if (!found) {
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
    const abort = new AbortController();
    running.set(turnId, abort);
    publish({ type: 'turn.started', turnId });
    const settings = options.settings();
    const request = {
      model: found.model,
      messages: effect.messages,
      contextTokens: effect.contextTokens,
      continues: effect.continues,
      keepAlive: settings.keepAlive,
      firstByteTimeoutMs: settings.firstByteTimeoutS * 1000,
      idleTimeoutMs: settings.idleTimeoutS * 1000,
    };
    const toEvent = createTurnEvents(turnId);
    try {
      for await (const event of found.backend.chat(request, abort.signal)) {
        if (abort.signal.aborted) break;
        for (const out of toEvent(event)) publish(out);
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

/** Translates one stream's events; holds what a split escape sequence or surrogate pair leaves over. */
export function createTurnEvents(turnId: string): (event: ChatEvent) => AppEvent[] {
  const answer = createSanitizer();
  const thinking = createSanitizer();
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
        const text = answer.push(event.text);
        return text === '' ? [] : [{ type: 'turn.text.delta', turnId, text, pieces: event.pieces ?? 1 }];
      }
      case 'usage':
        return [{ type: 'turn.usage', turnId, usage: event.usage, source: event.source ?? null }];
      case 'truncated':
        return [{ type: 'turn.truncated', turnId, truncation: event.truncation }];
      case 'answering-model':
        return [{ type: 'turn.answered-by', turnId, name: sanitizeLine(event.name) }];
      case 'note':
        return [{ type: 'turn.noted', turnId, text: sanitizeLine(event.text) }];
      case 'ended': {
        const rest: AppEvent[] = [];
        const thought = thinking.end();
        if (thought !== '') rest.push({ type: 'turn.reasoning.delta', turnId, text: thought, pieces: 0 });
        const text = answer.end();
        if (text !== '') rest.push({ type: 'turn.text.delta', turnId, text, pieces: 0 });
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
