import path from 'node:path';
import { placeName, type LogPlace } from '../domain/log-place.js';
import type { Ports } from '../ports.js';
import { followChild } from './child-source.js';
import type { LogSink, LogSource } from './log-source.js';
import { followFile } from './tail.js';

export interface OpenSourceOptions extends LogSink {
  readonly place: LogPlace;
  /** Name of its lines; that of the place unless given. */
  readonly source?: string;
  readonly ports: Ports;
  /** Lines of what was written before that are wanted at least, as far as they are there. */
  readonly lines: number;
  readonly once?: boolean;
}

/** So much of the end of a file is looked at for the lines that are wanted: while others wait, and when it is all that is done. */
const MOST_FIRST_BYTES = 8 * 1024 * 1024;
const MOST_ONCE_BYTES = 256 * 1024 * 1024;

/** Opens any place of a log. Never throws: what goes wrong is a state. */
export function openSource(options: OpenSourceOptions): LogSource {
  const { place, ports, lines } = options;
  const source = options.source ?? placeName(place);
  if (place.via !== 'file')
    return followChild({
      ...options,
      place,
      source,
      clock: ports.clock,
      env: ports.env,
      platform: ports.platform,
    });
  return followFile({
    ...options,
    source,
    clock: ports.clock,
    file: fileOf(place.path, ports),
    firstLines: lines,
    mostFirstBytes: options.once === true ? MOST_ONCE_BYTES : MOST_FIRST_BYTES,
  });
}

/** `~/` is the home folder, `%NAME%` a variable on Windows; a relative path counts from the folder in which lmapp was started. */
function fileOf(text: string, { env, platform }: Ports): string {
  const home = env['HOME'] ?? env['USERPROFILE'] ?? '';
  const full =
    platform === 'win32'
      ? text.replace(/%(\w+)%/g, (whole, name: string) => env[name] ?? whole)
      : /^~\//.test(text) && home !== ''
        ? path.join(home, text.slice(2))
        : text;
  return path.resolve(full);
}
