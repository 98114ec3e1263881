import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { faultFor } from '../domain/fault-table.js';
import type { Fault } from '../domain/fault.js';
import { EngineEndedError } from '../engine/engine-ended.js';
import type { EngineReport } from '../engine/protocol.js';
import { BackendError } from './backend.js';

const LONGEST_WORDS = 300;

/** Of what was thrown: the child is gone, or the model cannot be run. */
export function embeddedFault(error: unknown): Fault {
  if (error instanceof BackendError) return error.fault;
  if (error instanceof EngineEndedError)
    return faultFor(error.end.killed ? 'engine-killed' : 'engine-died', { words: short(error.end.words) });
  return faultFor('engine-died', { words: short(error instanceof Error ? error.message : String(error)) });
}

/** Of what the child reports. */
export function endedFault(report: Extract<EngineReport, { readonly type: 'failed' }>, model: string): Fault {
  const words = short(report.words);
  switch (report.failure) {
    case 'engine':
      return faultFor('engine-broken', { words });
    case 'out-of-memory':
      return faultFor('out-of-memory', { words });
    case 'model':
      return faultFor('model-file', { model, words });
    case 'context-full': {
      const { promptTokens, contextTokens } = report;
      const full = faultFor('context-full', {
        kind: 'embedded',
        words: `The chat takes ${promptTokens ?? '?'} tokens, and ${contextTokens ?? '?'} fit into the context.`,
      });
      return {
        ...full,
        ...(promptTokens === null ? {} : { promptTokens }),
        ...(contextTokens === null ? {} : { contextTokens }),
      };
    }
    case 'not-loaded':
    case 'failed':
      return faultFor('unsupported', { words });
  }
}

/** The engine explains at length and over several lines. */
function short(words: string): string {
  return sanitizeLine(words.replace(/\s+/g, ' ').trim()).slice(0, LONGEST_WORDS) || 'no reason was told';
}
