import path from 'node:path';
import { createLogger, type Logger } from '../logs/logger.js';
import { followFile, type Tail } from '../logs/tail.js';
import type { EffectHost } from './run.js';

export interface Logs {
  readonly logger: Logger;
  /** Loads winston and begins to follow files. */
  start(): Promise<void>;
  stop(): void;
}

/** Our own log and the files that are followed; both feed the log pane. */
export function openLogs(host: EffectHost): Logs {
  const { publish, options } = host;
  const logger = createLogger({
    file: options.files.log,
    level: options.debug ? 'debug' : 'info',
    secrets: options.secrets,
    onLines: (lines, skipped) => publish({ type: 'logs.appended', lines, skipped }),
    onTrouble: ({ message, hint }) => publish({ type: 'notice.raised', level: 'warn', text: message, hint }),
  });
  const followed: Tail[] = [];
  return {
    logger,
    async start() {
      await logger.start();
      for (const file of options.settings.follow)
        followed.push(
          followFile({
            file: path.resolve(file),
            clock: host.ports.clock,
            onLines: (lines, skipped) => publish({ type: 'logs.appended', lines, skipped }),
            onState: (state) => {
              if (state.state !== 'following')
                publish({
                  type: 'logs.interrupted',
                  source: path.basename(file),
                  reason: state.reason,
                  hint: state.hint,
                });
            },
          }),
        );
    },
    stop() {
      for (const file of followed) file.stop();
      logger.close();
    },
  };
}
