import { findModel } from '../domain/find-model.js';
import type { Settings } from '../domain/settings.js';
import type { Clock } from '../ports.js';
import type { AskedServer } from './find-backends.js';
import type { StatusLine } from './status-line.js';

const AGAIN_MS = 1000;

export interface WaitOptions {
  readonly ask: () => Promise<readonly AskedServer[]>;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly status: StatusLine;
  readonly signal: AbortSignal;
}

/**
 * Asks the servers for their models; again while none has the wanted one and one of them is still loading, `loadTimeoutS` at most.
 * What is to go on with another model by itself does not wait.
 */
export async function askUntilLoaded(options: WaitOptions): Promise<readonly AskedServer[]> {
  const { ask, settings, clock, status, signal } = options;
  const goesOn = settings.fallbackMode === 'auto' && settings.fallback.length > 0;
  const since = clock.monotonic();
  for (;;) {
    const servers = await ask();
    const loading = servers.find(({ fault }) => fault?.code === 'loading');
    const limitS = settings.loadTimeoutS;
    // 0 is without end.
    const inTime = limitS === 0 || clock.monotonic() - since < limitS * 1000;
    if (!loading || goesOn || !inTime || signal.aborted || hasModel(servers, settings)) return servers;
    status.show(`waiting: ${loading.title} is still loading`);
    await pause(clock, signal);
  }
}

function hasModel(servers: readonly AskedServer[], { model }: Settings): boolean {
  const all = servers.flatMap(({ models }) => models);
  return model === '' ? all.some(({ chat }) => chat) : findModel(all, model) !== null;
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const finish = (): void => {
      cancel();
      signal.removeEventListener('abort', finish);
      done();
    };
    const cancel = clock.after(AGAIN_MS, finish);
    signal.addEventListener('abort', finish, { once: true });
  });
}
