import { EXIT, LmappError, messageOf } from '../errors.js';
import { readBounded, systemCode } from '../files.js';
import { findJsonError } from './json-error.js';

/** A configuration file as it lies on the disk; its values are not yet checked. */
export type FileContents = Readonly<Record<string, unknown>>;

const MOST_BYTES = 4 * 2 ** 20;

/**
 * Reads the file; one that does not exist, or is empty, is an empty configuration. Errors: LmappError `config.unreadable` and
 * `config.syntax`, which names line and column.
 */
export function readConfigFile(file: string): FileContents {
  let text: string;
  try {
    text = readBounded(file, MOST_BYTES).replace(/^\uFEFF/, '');
  } catch (cause) {
    // ENOTDIR: a file lies where the directory should be; there is nothing to read either way, and writing will tell.
    if (systemCode(cause) === 'ENOENT') return {};
    throw new LmappError('config.unreadable', `The configuration cannot be read: ${messageOf(cause)}`, {
      hint: `Make ${file} a file that you may read, or move it away.`,
      cause,
      exitCode: EXIT.usage,
    });
  }
  if (text.trim() === '') return {};
  const value = parse(text, file);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LmappError('config.syntax', `${file}: the file does not hold a JSON object`, {
      hint: 'It begins with { and ends with }.',
      exitCode: EXIT.usage,
    });
  }
  return value as FileContents;
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const error = findJsonError(text);
    const place = error
      ? `${file}:${error.line}:${error.column}: ${error.message}`
      : `${file}: ${messageOf(cause)}`;
    throw new LmappError('config.syntax', place, {
      hint: 'Correct the file by hand; lmapp never overwrites a broken one.',
      exitCode: EXIT.usage,
      cause,
    });
  }
}
