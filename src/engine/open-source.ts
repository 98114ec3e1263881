import path from 'node:path';
import type { FindModelFiles } from '../domain/model-file.js';
import type { Clock, Environment } from '../ports.js';
import type { Engine } from './engine-contract.js';
import { installedEngine, TEMPLATES_FILE } from './installed.js';
import type { EmbeddedSource } from './source.js';

export interface EmbeddedSourceOptions {
  /** `$XDG_DATA_HOME/lmapp/engine`. */
  readonly directory: string;
  /** The program child.ts as it was built. */
  readonly childPath: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly files: FindModelFiles;
  readonly pulls: EmbeddedSource['pulls'];
  readonly onLog: (level: 'warn' | 'error', text: string) => void;
}

/** Within a cgroup that is what it leaves. */
function freeBytes(): number | null {
  const bytes = process.availableMemory();
  return bytes > 0 ? bytes : null;
}

/** The engine of this machine. Costs nothing until it is asked: its code is loaded by the first work. */
export function openEmbeddedSource(options: EmbeddedSourceOptions): EmbeddedSource {
  const { directory, childPath, env, clock, files, pulls, onLog } = options;
  let running: Engine | null = null;
  let making: Promise<Engine | null> | null = null;

  async function make(): Promise<Engine | null> {
    const installed = installedEngine(directory);
    if (!installed) return null;
    const [{ createEngine }, { threadLimit }] = await Promise.all([
      import('./engine.js'),
      import('./threads.js'),
    ]);
    const { modulePath, gpu } = installed;
    running = createEngine({
      childPath,
      modulePath,
      templates: path.join(directory, TEMPLATES_FILE),
      env,
      gpu,
      threads: threadLimit(),
      now: clock.now,
      after: clock.after.bind(clock),
      onLog,
    });
    return running;
  }

  return {
    version: () => installedEngine(directory)?.version ?? null,
    running: () => running,
    async engine() {
      if (running) return installedEngine(directory) ? running : null;
      making ??= make().finally(() => (making = null));
      return making;
    },
    files,
    pulls,
    freeBytes,
  };
}
