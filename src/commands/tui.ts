import path from 'node:path';
import { keyOf, secretsOf, withoutKeys } from '../config/secrets.js';
import { EXIT, LmappError } from '../errors.js';
import { terminalProblem } from '../terminal/capabilities.js';
import type { Command } from './command.js';
import type { Arguments } from './options.js';
import { checkEmbedded, isOn, listOf, numberOf, textOf, TUI_OPTIONS } from './options.js';
import { settingsFor } from './settings.js';
import type { TuiOptions } from './tui-options.js';
import { parseAddress } from '../wire/address.js';

/** `lmapp tui`, and `lmapp` alone. */
export const tui: Command = {
  name: 'tui',
  does: 'The dashboard: chat, models, machine and log on one screen. `lmapp` alone is the same.',
  options: TUI_OPTIONS,
  examples: [
    ['lmapp', 'the dashboard, with the servers of this machine'],
    ['lmapp --url http://gpu-box:11434', 'with a server elsewhere, too'],
    ['lmapp --continue', 'go on with the last chat'],
    ['lmapp --embedded', 'a model of this machine itself; what is missing is fetched'],
    ['lmapp --mock', 'have a look without any server'],
  ],
  async run(context, args) {
    const { ports, files, version } = context;
    const problem = terminalProblem(context.stdin, context.stdout, ports.env);
    if (problem !== null) {
      throw new LmappError('no-terminal', problem, {
        hint: '"lmapp chat TEXT" answers without a terminal; "lmapp --help" tells more.',
        exitCode: EXIT.usage,
      });
    }
    // The dashboard's code is read from the disk while the settings are.
    const loading = import('../tui/start.js');
    const { settings, sources, problems } = settingsFor(context, args);
    const urls = listOf(args, 'url');
    // A mistake is told before the screen is taken.
    for (const url of urls) parseAddress(url, 0);
    checkEmbedded(args, ['mock']);
    const options: TuiOptions = {
      version,
      ports,
      files,
      settings: withoutKeys(settings),
      settingsSources: sources,
      problems,
      keyOf: (backend) =>
        keyOf(settings.backends.find(({ url }) => url === backend.url) ?? backend, ports.env),
      secrets: secretsOf(settings, ports.env),
      urls,
      mock: isOn(args, 'mock'),
      embedded: isOn(args, 'embedded'),
      // On a terminal it would write over the screen, which shows them.
      tellStep:
        isOn(args, 'embedded') && !context.stderr.isTTY
          ? (words) => context.stderr.write(`lmapp: ${words}\n`)
          : null,
      tellAtEnd: (words) => context.stderr.write(`lmapp: ${words}\n`),
      continueLast: isOn(args, 'continue'),
      ...replayOptions(args),
      gpu: !isOn(args, 'no-gpu'),
      debug: isOn(args, 'debug'),
    };
    const { startTui } = await loading;
    return startTui(options);
  },
};

function replayOptions(args: Arguments): Pick<TuiOptions, 'record' | 'replay' | 'speed'> {
  const absolute = (file: string | null): string | null => (file === null ? null : path.resolve(file));
  const replay = absolute(textOf(args, 'replay'));
  const speed = numberOf(args, 'speed');
  if (speed !== null && replay === null) {
    throw new LmappError('usage', '--speed needs --replay FILE', { exitCode: EXIT.usage });
  }
  return { record: absolute(textOf(args, 'record')), replay, speed: speed ?? 1 };
}
