import path from 'node:path';
import { EXIT, LmappError, messageOf } from '../errors.js';
import type { BackendSetting } from '../domain/settings.js';
import { systemCode, withFileLock, writeAtomically } from '../files.js';
import { nearestNames } from '../domain/names.js';
import { faultsOf } from './explain.js';
import type { FileContents } from './file.js';
import { readConfigFile } from './file.js';
import { parseMember, parseSetting } from './parse-value.js';
import type { SettingKey } from './schema.js';
import { isSettingKey, schemaOf, SETTING_KEYS } from './schema.js';

/** A setting, or one member of one that is an object: `keys.send`. */
interface Place {
  readonly key: SettingKey;
  readonly member: string | null;
}

/**
 * Sets a value as it is typed in a shell. `check` is given the setting, of one that is an object with that member alone, before the file is
 * touched, and throws when it means nothing. Errors: LmappError (unknown key, value not allowed, broken file, disk).
 */
export function setFromText(
  file: string,
  dottedKey: string,
  text: string,
  check: (key: SettingKey, value: unknown) => void = () => undefined,
): void {
  const place = placeOf(dottedKey);
  const { properties, additionalProperties } = schemaOf(place.key);
  const schema = place.member === null ? null : (properties?.[place.member] ?? additionalProperties);
  const value = schema ? parseMember(schema, text) : parseSetting(place.key, text, dottedKey);
  check(place.key, place.member === null ? value : { [place.member]: value });
  setValue(file, dottedKey, value);
}

/** Sets a value in the file. The file is read again first, so that what another lmapp has set in the meantime stays. */
export function setValue(file: string, dottedKey: string, value: unknown): void {
  const { key, member } = placeOf(dottedKey);
  change(file, (contents) => ({
    ...contents,
    [key]: member === null ? value : { ...membersOf(contents, key), [member]: value },
  }));
}

/** Takes a setting out of the file. Returns false when it was not there. */
export function unsetValue(file: string, dottedKey: string): boolean {
  // A key that is not known can be taken away when it stands in the file.
  const inFile = Object.hasOwn(readConfigFile(file), dottedKey);
  const { key, member } = inFile ? { key: dottedKey, member: null } : placeOf(dottedKey);
  let found = false;
  change(file, (contents) => {
    const { [key]: value, ...rest } = contents;
    if (member === null) {
      found = value !== undefined;
      return rest;
    }
    const { [member]: taken, ...others } = membersOf(contents, key);
    found = taken !== undefined;
    return Object.keys(others).length === 0 ? rest : { ...contents, [key]: others };
  });
  return found;
}

/**
 * Changes the list of servers in the file. `edit` is given the list as it stands there now; what it does not touch stays as it was
 * written. Errors: LmappError (broken file, disk); the file is unchanged then.
 */
export function changeServers(
  file: string,
  edit: (servers: readonly BackendSetting[]) => readonly BackendSetting[],
): void {
  change(file, (contents) => {
    const { backends = [], ...rest } = contents;
    const wrong = faultsOf({ backends })[0];
    if (wrong)
      throw new LmappError('config.value', wrong.message, {
        hint: `Correct ${file} first; it is unchanged.`,
        exitCode: EXIT.usage,
      });
    const after = edit(backends as readonly BackendSetting[]);
    return after.length === 0 ? rest : { ...contents, backends: after };
  });
}

function change(file: string, edit: (contents: FileContents) => FileContents): void {
  try {
    withFileLock(file, () => {
      const before = readConfigFile(file);
      const after = edit(before);
      if (JSON.stringify(after) === JSON.stringify(before)) return;
      refuseFaults(file, before, after);
      writeAtomically(file, `${JSON.stringify(after, null, 2)}\n`);
    });
  } catch (cause) {
    if (cause instanceof LmappError) throw cause;
    const full = ['ENOSPC', 'EDQUOT'].includes(systemCode(cause));
    throw new LmappError('config.write', `The configuration cannot be written: ${messageOf(cause)}`, {
      hint: full
        ? 'Make room on the disk, then do it again.'
        : `Make ${path.dirname(file)} a folder of yours that you may write; XDG_CONFIG_HOME chooses another place.`,
      cause,
    });
  }
}

/** An invalid file is not written, unless the edit makes it valid. Unknown keys that were there before do no harm and stay. */
function refuseFaults(file: string, before: FileContents, after: FileContents): void {
  const old = new Set(faultsOf(before).map((fault) => fault.message));
  const fault = faultsOf(after).find((each) => !each.unknownKey || !old.has(each.message));
  if (!fault) return;
  const hint = old.has(fault.message) ? `Correct ${file} first; it is unchanged.` : `${file} is unchanged.`;
  throw new LmappError('config.value', fault.message, { hint, exitCode: EXIT.usage });
}

function placeOf(dottedKey: string): Place {
  const dot = dottedKey.indexOf('.');
  const key = dot === -1 ? dottedKey : dottedKey.slice(0, dot);
  const member = dot === -1 ? null : dottedKey.slice(dot + 1);
  if (isSettingKey(key) && (member === null || mayHold(key, member))) return { key, member };
  const members = SETTING_KEYS.flatMap((each) =>
    Object.keys(schemaOf(each).properties ?? {}).map((name) => `${each}.${name}`),
  );
  const nearest = nearestNames(dottedKey, [...SETTING_KEYS, ...members], 1)[0];
  throw new LmappError('config.key', `${dottedKey} is not a known setting`, {
    hint: nearest === undefined ? 'lmapp config --show lists all settings.' : `Did you mean ${nearest}?`,
    exitCode: EXIT.usage,
  });
}

function mayHold(key: SettingKey, member: string): boolean {
  const { type, properties, additionalProperties } = schemaOf(key);
  if (type !== 'object' || member === '') return false;
  return Boolean(additionalProperties) || Object.hasOwn(properties ?? {}, member);
}

function membersOf(contents: FileContents, key: string): Readonly<Record<string, unknown>> {
  const value = contents[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
