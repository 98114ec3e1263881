import { LOG_LEVELS } from '../domain/log.js';
import type { Command } from './command.js';
import { LOOKING_OPTIONS } from './options.js';

export const logs: Command = {
  name: 'logs',
  does: 'Prints the logs of lmapp, of the servers and of what `follow` names, in one by time.',
  options: [
    {
      name: 'source',
      type: 'string',
      many: true,
      takes: 'NAME-or-PLACE',
      does: 'only this one: a name of --list, a file, journald:UNIT, docker:NAME, cmd:COMMAND, ssh:HOST:PLACE',
      completes: 'log',
    },
    { name: 'follow', type: 'boolean', does: 'go on with what is written, until Ctrl+C' },
    { name: 'lines', type: 'number', takes: 'N', does: 'the last N lines (100)', minimum: 0 },
    {
      name: 'level',
      type: 'string',
      takes: 'LEVEL',
      does: 'this level and above: debug, info, warn, error; a line without one counts as info',
      choices: LOG_LEVELS,
    },
    {
      name: 'grep',
      type: 'string',
      takes: 'RE',
      does: 'lines with this regular expression; capitals count only when it has one',
    },
    { name: 'list', type: 'boolean', does: 'list the sources: where each is, what it does, the next step' },
    { name: 'json', type: 'boolean', does: 'print an object a line: at, level, source, text, requestId' },
    ...LOOKING_OPTIONS,
  ],
  examples: [
    ['lmapp logs --follow', 'all logs as they are written'],
    ['lmapp logs --source ollama --level warn --lines 20', 'what Ollama complained about last'],
    ['lmapp logs --source ssh:gpu-box:journald:ollama --follow', 'the log of a server on another machine'],
    ['lmapp logs --list', 'which logs there are, and why one cannot be read'],
  ],
  run: async (context, args) => (await import('./read-logs.js')).readLogs(context, args),
};
