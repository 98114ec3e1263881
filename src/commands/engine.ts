import type { Command } from './command.js';
import { JSON_OPTION } from './options.js';

const install: Command = {
  name: 'install',
  does: 'Fetches the engine with npm, after a question that tells size and source.',
  options: [
    {
      name: 'gpu',
      type: 'string',
      takes: 'vulkan|cuda',
      does: 'also fetch the part for this kind of GPU',
    },
    { name: 'yes', type: 'boolean', does: 'without a question' },
    JSON_OPTION,
  ],
  examples: [
    ['lmapp engine install', 'asks, then fetches it'],
    ['lmapp engine install --gpu cuda --yes', 'with the part for NVIDIA, for scripts'],
  ],
  async run(context, args) {
    const { install } = await import('./engine-install.js');
    return install(context, args);
  },
};

const status: Command = {
  name: 'status',
  does: 'Tells whether the engine is installed, where and how large; exit code 1 when it cannot be used.',
  options: [JSON_OPTION],
  examples: [['lmapp engine status', 'version, parts, folder, size']],
  async run(context, args) {
    const { status } = await import('./engine-status.js');
    return status(context, args);
  },
};

const remove: Command = {
  name: 'remove',
  does: 'Deletes the engine; model files stay.',
  options: [JSON_OPTION],
  examples: [['lmapp engine remove', 'it can be fetched again']],
  async run(context, args) {
    const { remove } = await import('./engine-install.js');
    return remove(context, args);
  },
};

export const engine: Command = {
  name: 'engine',
  does: 'Tells about the engine that runs models on this machine without a server; its commands install and remove it.',
  options: status.options,
  commands: [install, status, remove],
  examples: [
    ['lmapp engine', 'whether it is installed'],
    ['lmapp engine install', 'fetches it with npm'],
  ],
  run: (context, args) => status.run(context, args),
};
