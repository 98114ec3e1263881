import type { Command } from './command.js';
import { DEBUG_OPTION, JSON_OPTION, LOOKING_OPTIONS, MODEL_OPTION } from './options.js';

export const status: Command = {
  name: 'status',
  does: 'Tells once how servers, models and machine are; exit code 0 when the chosen model can answer, else 1.',
  options: [
    MODEL_OPTION,
    ...LOOKING_OPTIONS,
    { name: 'no-gpu', type: 'boolean', does: 'do not ask for readings of GPUs' },
    JSON_OPTION,
    DEBUG_OPTION,
  ],
  examples: [
    ['lmapp status', 'servers, models, memory, and whether the chosen model can answer'],
    ['lmapp status --json --model qwen3:8b | jq .chosen', 'the same for scripts'],
  ],
  run: async (context, args) => (await import('./read-status.js')).tellStatus(context, args),
};
