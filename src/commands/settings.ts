import path from 'node:path';
import type { FlagSetting, LoadedSettings } from '../config/load.js';
import { loadSettings } from '../config/load.js';
import { faultsOf } from '../config/explain.js';
import { parseSetting } from '../config/parse-value.js';
import { PLACE_FORMS, readPlace } from '../domain/log-place.js';
import { SAMPLING_KEYS } from '../domain/sampling.js';
import { EXIT, LmappError } from '../errors.js';
import type { CommandContext } from './command.js';
import type { Arguments } from './options.js';
import { isOn, listOf, numberOf, textOf } from './options.js';

/** The settings of a command: its flags over environment, file and defaults. Errors: LmappError for a flag that is not allowed. */
export function settingsFor({ files, ports }: CommandContext, args: Arguments): LoadedSettings {
  const flags: FlagSetting[] = [];
  const add = (key: FlagSetting['key'], value: unknown, name: string): void => {
    if (value === null) return;
    const fault = faultsOf({ [key]: value })[0];
    if (fault) {
      // Who types an option need not know what its setting is called.
      const message =
        fault.path === key ? `${name}${fault.message.slice(key.length)}` : `${name}: ${fault.message}`;
      throw new LmappError('usage', message, { exitCode: EXIT.usage });
    }
    flags.push({ key, value, name });
  };
  add('model', textOf(args, 'model'), '--model');
  add('discovery', isOn(args, 'no-discovery') ? false : null, '--no-discovery');
  add('theme', textOf(args, 'theme'), '--theme');
  add('ascii', isOn(args, 'ascii') ? true : null, '--ascii');
  add('fps', numberOf(args, 'fps'), '--fps');
  add('fallbackMode', textOf(args, 'fallback'), '--fallback');
  add('system', textOf(args, 'system'), '--system');
  for (const key of SAMPLING_KEYS) {
    const option = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    const text = textOf(args, option);
    const name = `--${option}`;
    if (text !== null) flags.push({ key, value: parseSetting(key, text, name), name });
  }
  const follow = listOf(args, 'follow').map(followed);
  add('follow', follow.length > 0 ? follow : null, '--follow');
  return loadSettings(files.config, ports.env, flags);
}

/** A relative path counts from here, also in a record. Errors: LmappError for what is no place of a log. */
function followed(text: string): string {
  const read = readPlace(text);
  if (!read.ok)
    throw new LmappError('usage', `--follow ${text}: ${read.reason}`, {
      hint: `A place of a log is ${PLACE_FORMS}.`,
      exitCode: EXIT.usage,
    });
  return read.place.via === 'file' && !text.startsWith('~/') ? path.resolve(text) : text;
}
