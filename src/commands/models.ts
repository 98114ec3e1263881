import { EXIT } from '../errors.js';
import type { Command } from './command.js';
import {
  DEBUG_OPTION,
  isOn,
  JSON_OPTION,
  SERVER_OPTIONS,
  WHICH_SERVER_OPTION,
  type OptionSpec,
} from './options.js';

const OPTIONS: readonly OptionSpec[] = [...SERVER_OPTIONS, WHICH_SERVER_OPTION, JSON_OPTION, DEBUG_OPTION];
const NAME = {
  name: 'name',
  does: 'a model: its name, label, kind/name or key',
  completes: 'model',
} as const;

const list: Command = {
  name: 'list',
  does: 'Lists the models of all servers.',
  options: OPTIONS,
  examples: [['lmapp models list --json | jq -r ".[].name"', 'names of all models, for scripts']],
  async run(context, args) {
    const [{ withModels }, { unanswered }, { modelsAsJson, modelsAsTable }] = await Promise.all([
      import('./with-models.js'),
      import('./find-backends.js'),
      import('./print-models.js'),
    ]);
    return withModels(context, args, ({ servers }) => {
      if (isOn(args, 'json')) context.stdout.write(`${JSON.stringify(modelsAsJson(servers), null, 2)}\n`);
      else context.stdout.write(modelsAsTable(servers));
      for (const line of unanswered(servers)) context.stderr.write(`${line}\n`);
      if (servers.length === 0) {
        context.stderr.write(
          'No server was found. Start one, for example with "ollama serve", or name one with --url.\n',
        );
      }
      return Promise.resolve(servers.some(({ fault }) => fault === null) ? EXIT.ok : EXIT.failure);
    });
  },
};

const show: Command = {
  name: 'show',
  words: NAME,
  does: 'Tells all that is known of a model.',
  options: OPTIONS,
  examples: [['lmapp models show qwen3:8b', 'sizes, context, parameters, template, license']],
  run: async (context, args) => (await import('./show-model.js')).showModel(context, args),
};

const load: Command = {
  name: 'load',
  words: NAME,
  does: 'Loads a model and waits until it is loaded.',
  options: [
    { name: 'pin', type: 'boolean', does: 'keep it loaded until it is unloaded by hand' },
    { name: 'force', type: 'boolean', does: 'load it even where it needs more memory than is free' },
    {
      name: 'context',
      type: 'number',
      takes: 'N',
      does: 'tokens of its context, where the server lets it be chosen',
      minimum: 1,
    },
    ...OPTIONS,
  ],
  examples: [['lmapp models load qwen3:8b --pin', 'ready for the first question, for good']],
  run: async (context, args) => (await import('./change-model.js')).loadModel(context, args),
};

const unload: Command = {
  name: 'unload',
  words: NAME,
  does: 'Frees the memory of a model.',
  options: OPTIONS,
  examples: [['lmapp models unload qwen3:8b', 'its file stays']],
  run: async (context, args) => (await import('./change-model.js')).unloadModel(context, args),
};

const pull: Command = {
  name: 'pull',
  words: {
    name: 'name',
    does: 'hf:ORG/REPO[:QUANT], an https address of a GGUF, a name of the catalogue (smollm2-135m), or as a server knows it: qwen3:8b',
  },
  does: 'Fetches a model onto this machine, or lets a server do it. Stopped with Ctrl+C and pulled again, it goes on where it was.',
  options: OPTIONS,
  examples: [
    ['lmapp models pull smollm2-135m', 'the smallest of the catalogue, to run without any server'],
    ['lmapp models pull qwen3:8b --server ollama', 'with several servers that can, name one'],
  ],
  run: async (context, args) => (await import('./pull-model.js')).pullModel(context, args),
};

const catalogue: Command = {
  name: 'catalogue',
  does: 'Lists the models that lmapp can fetch by itself, by what fits this machine.',
  options: [JSON_OPTION, DEBUG_OPTION],
  examples: [['lmapp models catalogue', 'size, context, license, and what each is good for']],
  run: async (context, args) => (await import('./catalogue.js')).tellCatalogue(context, args),
};

const remove: Command = {
  name: 'delete',
  words: NAME,
  does: 'Deletes a model from its server, after a question.',
  options: [
    { name: 'yes', type: 'boolean', does: 'do not ask; needed where there is no terminal' },
    ...OPTIONS,
  ],
  examples: [['lmapp models delete qwen3:8b --yes', 'for scripts']],
  run: async (context, args) => (await import('./change-model.js')).deleteModel(context, args),
};

export const models: Command = {
  name: 'models',
  does: 'Lists the models of all servers; its commands show and change them.',
  options: OPTIONS,
  commands: [list, show, load, unload, catalogue, pull, remove],
  examples: [
    ['lmapp models --json | jq -r ".[].name"', 'names of all models, for scripts'],
    ['lmapp models pull qwen3:8b', 'fetch a model'],
  ],
  run: (context, args) => list.run(context, args),
};
