import type { RequestTrace } from '../backends/backend.js';
import { secretsOf } from '../config/secrets.js';
import type { Settings } from '../domain/settings.js';
import { createLogger } from '../logs/logger.js';
import type { CommandContext } from './command.js';
import { isOn, type Arguments } from './options.js';

/** With --debug: writes every request to the log. Null without it. The log is on the disk when the process ends. */
export function requestLog(
  { files, ports }: CommandContext,
  args: Arguments,
  settings: Settings,
): ((trace: RequestTrace) => void) | null {
  if (!isOn(args, 'debug')) return null;
  const logger = createLogger({ file: files.log, level: 'debug', secrets: secretsOf(settings, ports.env) });
  return ({ method, url, ...rest }) => logger.debug(`${method} ${url}`, rest);
}
