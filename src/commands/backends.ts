import { EXIT, LmappError } from '../errors.js';
import type { Command } from './command.js';
import { DEBUG_OPTION, JSON_OPTION, LOOKING_OPTIONS } from './options.js';

const ADDRESS = 'an address: http://gpu-box:11434, gpu-box, :8080, KIND+http://host:8080';

const list: Command = {
  name: 'list',
  does: 'Lists all servers: kind, address, state, version, models, where each comes from.',
  options: [...LOOKING_OPTIONS, JSON_OPTION, DEBUG_OPTION],
  examples: [['lmapp backends list', 'all servers and how they are']],
  async run(context, args) {
    const { listServers } = await import('./list-servers.js');
    return listServers(context, args);
  },
};

const add: Command = {
  name: 'add',
  words: { name: 'address', does: ADDRESS },
  does: 'Asks a server who it is and keeps it in the configuration.',
  options: [
    { name: 'kind', type: 'string', takes: 'KIND', does: 'what it is; left out: found out by asking it' },
    {
      name: 'key-env',
      type: 'string',
      takes: 'NAME',
      does: 'its key is the value of this environment variable',
    },
    {
      name: 'key',
      type: 'string',
      takes: 'KEY',
      does: "its key, or '${NAME}' of an environment variable",
    },
    {
      name: 'machine',
      type: 'string',
      takes: 'PLACE',
      does: 'where the readings of its machine come from: ssh:HOST, or an address of metrics',
    },
    { name: 'force', type: 'boolean', does: 'keep it also when it does not answer now' },
    JSON_OPTION,
  ],
  examples: [
    ['lmapp backends add http://gpu-box:11434', 'keep a server'],
    ['lmapp backends add gpu-box:11434 --machine ssh:gpu-box', 'one whose machine is shown as well'],
    ['lmapp backends add https://api.example.com --key-env EXAMPLE_KEY', 'one that wants a key'],
  ],
  async run(context, args) {
    const { addServer } = await import('./change-servers.js');
    return addServer(context, args, oneAddress(args.words, 'add'));
  },
};

const remove: Command = {
  name: 'remove',
  words: { name: 'address', does: ADDRESS },
  does: 'Takes a server out of the configuration.',
  options: [JSON_OPTION],
  examples: [['lmapp backends remove gpu-box:11434', 'the server stays as it is']],
  async run(context, args) {
    const { removeServer } = await import('./change-servers.js');
    return removeServer(context, args, oneAddress(args.words, 'remove'));
  },
};

const check: Command = {
  name: 'check',
  words: { name: 'address', does: ADDRESS },
  does: 'Asks servers how they are, and says what to do; exit code 1 when one that was named does not answer.',
  options: [...LOOKING_OPTIONS, JSON_OPTION, DEBUG_OPTION],
  examples: [
    ['lmapp backends check', 'all servers that are named'],
    ['lmapp backends check gpu-box:11434', 'this one'],
  ],
  async run(context, args) {
    const { checkServers } = await import('./list-servers.js');
    return checkServers(context, args);
  },
};

export const backends: Command = {
  name: 'backends',
  does: 'Lists servers; its commands add, remove and check them.',
  options: list.options,
  commands: [list, add, remove, check],
  examples: [
    ['lmapp backends', 'all servers and how they are'],
    ['lmapp backends add http://gpu-box:11434', 'keep a server'],
  ],
  run: (context, args) => list.run(context, args),
};

function oneAddress(words: readonly string[], command: string): string {
  const [address] = words;
  if (address !== undefined && words.length === 1) return address;
  throw new LmappError('usage', words.length === 0 ? 'which server?' : 'one server at a time', {
    hint: `lmapp backends ${command} ADDRESS, for example http://gpu-box:11434`,
    exitCode: EXIT.usage,
  });
}
