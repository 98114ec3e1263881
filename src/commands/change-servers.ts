import { lookAt } from '../backends/look.js';
import { isAt, typedAddress } from '../backends/typed-address.js';
import { changeServers } from '../config/edit.js';
import { keyOf } from '../config/secrets.js';
import type { BackendSetting } from '../domain/settings.js';
import { EXIT, LmappError } from '../errors.js';
import { parseMachine } from '../hardware/remote-machine.js';
import type { CommandContext } from './command.js';
import { sentenceOf, toldBy } from './list-servers.js';
import { type Arguments, isOn, textOf } from './options.js';

/** `lmapp backends add ADDRESS`. Errors: LmappError for an address, kind or key that cannot be, and for a server that does not answer. */
export async function addServer(context: CommandContext, args: Arguments, text: string): Promise<number> {
  const { files, ports, stdout, stderr } = context;
  const { url, kind } = typedAddress(text, textOf(args, 'kind'));
  const key = keyOfFlags(args);
  const forced = isOn(args, 'force');
  const machine = machineOfFlags(args);
  const setting: BackendSetting = {
    ...(kind === null ? {} : { kind }),
    url,
    ...(key === null ? {} : { key }),
    ...(machine === null ? {} : { machine }),
  };
  const secret = forced ? secretOrNull(setting, context) : keyOf(setting, ports.env);
  const look = await lookAt({ url, key: secret }, kind, new AbortController().signal, ports.clock);
  look.backend?.close();
  if (look.fault && !forced)
    throw new LmappError('backend.away', `${url} was not added: ${look.fault.message}`, {
      hint: [look.fault.hint, 'To keep it all the same: --force'].filter((line) => line !== null).join('\n'),
    });
  let replaced = false;
  changeServers(files.config, (servers) => {
    const others = servers.filter((server) => !isAt(server, url));
    replaced = others.length < servers.length;
    const { machine: before, log } = servers.find((server) => isAt(server, url)) ?? {};
    // What else was written about it stays.
    const rest = { ...(before !== undefined && { machine: before }), ...(log !== undefined && { log }) };
    return [...others, { ...rest, ...setting }];
  });
  const told = toldBy(look, kind);
  if (isOn(args, 'json')) {
    const { kind: detected, state, version, models } = told;
    const reason = look.fault?.message ?? null;
    const nextStep = look.fault?.hint ?? null;
    stdout.write(
      `${JSON.stringify({ url, kind: detected, state, version, models, replaced, reason, nextStep }, null, 2)}\n`,
    );
  } else {
    stdout.write(`${sentenceOf({ ...told, url })}: ${replaced ? 'replaced' : 'added'} in ${files.config}\n`);
    if (look.fault)
      stderr.write(`${look.fault.message}${look.fault.hint === null ? '' : ` ${look.fault.hint}`}\n`);
  }
  if (key !== null && !key.startsWith('${'))
    stderr.write(
      `lmapp: the key stands in ${files.config} and in the history of your shell; a variable is safer: --key-env NAME\n`,
    );
  return EXIT.ok;
}

/** `lmapp backends remove ADDRESS`. */
export function removeServer({ files, stdout }: CommandContext, args: Arguments, text: string): number {
  const { url } = typedAddress(text);
  const others: string[] = [];
  let removed = 0;
  changeServers(files.config, (servers) => {
    const left = servers.filter((server) => !isAt(server, url));
    removed = servers.length - left.length;
    others.push(...left.map((server) => server.url));
    return left;
  });
  if (removed === 0)
    throw new LmappError('backend.unknown', `${url} does not stand in ${files.config}`, {
      hint: others.length === 0 ? 'No server stands there.' : `There is ${others.join(', ')}.`,
    });
  if (isOn(args, 'json')) stdout.write(`${JSON.stringify({ url, removed: true })}\n`);
  else stdout.write(`${url} was removed from ${files.config}\n`);
  return EXIT.ok;
}

/** As it is to stand in the configuration; null: none. */
function keyOfFlags(args: Arguments): string | null {
  const key = textOf(args, 'key');
  const name = textOf(args, 'key-env');
  if (key !== null && name !== null)
    throw new LmappError('usage', '--key or --key-env, not both', { exitCode: EXIT.usage });
  if (name === null) return key;
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `\${${name}}`;
  throw new LmappError('usage', '--key-env is not the name of a variable', {
    hint: 'The name, not the value: --key-env EXAMPLE_KEY',
    exitCode: EXIT.usage,
  });
}

/** Where the readings of its machine come from; null: not told. Errors: LmappError when that cannot be. */
function machineOfFlags(args: Arguments): string | null {
  const machine = textOf(args, 'machine');
  const place = machine === null ? null : parseMachine(machine);
  if (place?.kind === 'invalid')
    throw new LmappError('usage', `--${place.reason}`, { hint: place.hint, exitCode: EXIT.usage });
  return machine;
}

function secretOrNull(setting: BackendSetting, { ports, stderr }: CommandContext): string | null {
  try {
    return keyOf(setting, ports.env);
  } catch (error) {
    if (!(error instanceof LmappError)) throw error;
    stderr.write(`lmapp: ${error.message}\n`);
    return null;
  }
}
