import { keyOf } from '../config/secrets.js';
import { EXIT } from '../errors.js';
import type { Command } from './command.js';
import { DEBUG_OPTION, isOn, listOf, SERVER_OPTIONS } from './options.js';
import { requestLog } from './request-log.js';
import { settingsFor } from './settings.js';

const list: Command = {
  name: 'list',
  does: 'Lists the models of all servers.',
  options: [...SERVER_OPTIONS, { name: 'json', type: 'boolean', does: 'print JSON' }, DEBUG_OPTION],
  examples: [['lmapp models list --json | jq -r ".[].name"', 'names of all models, for scripts']],
  async run(context, args) {
    const [{ askServers }, { modelsAsJson, modelsAsTable, rememberModels }] = await Promise.all([
      import('./find-backends.js'),
      import('./print-models.js'),
    ]);
    const { settings, problems } = settingsFor(context, args);
    for (const problem of problems) context.stderr.write(`lmapp: ${problem}\n`);
    const abort = new AbortController();
    const servers = await askServers({
      ports: context.ports,
      settings,
      urls: listOf(args, 'url'),
      mock: isOn(args, 'mock'),
      keyOf: (backend) => keyOf(backend, context.ports.env),
      signal: abort.signal,
      onRequest: requestLog(context, args, settings),
    });
    for (const { backend } of servers) backend?.close();
    rememberModels(context.files.models, servers);
    if (isOn(args, 'json')) context.stdout.write(`${JSON.stringify(modelsAsJson(servers), null, 2)}\n`);
    else context.stdout.write(modelsAsTable(servers));
    for (const { title, url, fault } of servers) {
      if (fault)
        context.stderr.write(
          `${title} ${url}: ${fault.message}${fault.hint === null ? '' : ` ${fault.hint}`}\n`,
        );
    }
    if (servers.length === 0) {
      context.stderr.write(
        'No server was found. Start one, for example with "ollama serve", or name one with --url.\n',
      );
    }
    return servers.some(({ fault }) => fault === null) ? EXIT.ok : EXIT.failure;
  },
};

export const models: Command = {
  name: 'models',
  does: 'Lists the models of all servers; its commands change them.',
  options: list.options,
  commands: [list],
  examples: [['lmapp models --json | jq -r ".[].name"', 'names of all models, for scripts']],
  run: (context, args) => list.run(context, args),
};
