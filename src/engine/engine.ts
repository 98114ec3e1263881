import type { Engine, EngineOptions, ModelToRun, OnReport } from './engine-contract.js';
import { startEngineProcess, type Asked, type EngineOrder, type EngineProcess } from './engine-process.js';
import { EngineEndedError } from './engine-ended.js';
import type { EngineReport } from './protocol.js';

/** After its last use a model leaves the memory, when nothing else was said. */
export const DEFAULT_KEEP_MS = 5 * 60_000;

interface Held {
  contextTokens: number;
  keepMs: number | 'never';
  loaded: { contextTokens: number; memoryBytes: number; vramBytes: number } | null;
  progress: number | null;
  unloading: boolean;
  expiresAt: number | null;
  cancelTimer: () => void;
}

interface Child {
  readonly process: EngineProcess;
  startFailure: EngineReport | null;
  readonly gone: Promise<void>;
}

export function createEngine(options: EngineOptions): Engine {
  let child: Child | null = null;
  /** What is loaded when all that was sent is done: commands are done in the order in which they are sent. */
  const held = new Map<string, Held>();
  /** Requests that were sent and have not ended, by model. */
  const users = new Map<string, number>();
  /** Requests in the order in which they came. */
  const line: object[] = [];

  function running(): Child {
    if (child) return child;
    let tellGone: () => void = () => undefined;
    const gone = new Promise<void>((resolve) => (tellGone = resolve));
    const process = startEngineProcess({
      ...options,
      onEnd() {
        if (child === started) forgetChild();
        tellGone();
      },
    });
    const started: Child = { process, startFailure: null, gone };
    child = started;
    const { modulePath: module, templates, threads, gpu } = options;
    process.ask({ type: 'start', module, templates, threads, gpu }).done.then(
      (report) => {
        if (report.type === 'failed') started.startFailure = report;
      },
      () => undefined,
    );
    return started;
  }

  function forgetChild(): void {
    child = null;
    for (const each of held.values()) each.cancelTimer();
    held.clear();
  }

  /** All its memory is free when it is gone. */
  function endChild(each: Child): Promise<void> {
    if (child === each) forgetChild();
    each.process.end();
    return each.gone;
  }

  /** Makes room, and loads; null when it is loaded already, or will be by then. */
  function sendLoad(to: Child, model: ModelToRun, onReport: OnReport): Asked | null {
    const before = held.get(model.name);
    const contextTokens = model.contextTokens ?? before?.contextTokens ?? model.contextDefault;
    const keepMs = model.keepMs ?? before?.keepMs ?? DEFAULT_KEEP_MS;
    if (before?.contextTokens === contextTokens && !before.unloading) {
      // A pin stays until the model is unloaded by hand.
      if (before.keepMs !== 'never') before.keepMs = keepMs;
      return null;
    }
    // Two models at once are more than most machines hold; what is pinned stays.
    for (const [name, { keepMs: kept }] of held)
      if (name !== model.name && kept !== 'never') void sendUnload(to, name);
    before?.cancelTimer();
    const fresh: Held = {
      contextTokens,
      keepMs: before?.keepMs === 'never' ? 'never' : keepMs,
      loaded: null,
      progress: null,
      unloading: false,
      expiresAt: null,
      cancelTimer: () => undefined,
    };
    held.set(model.name, fresh);
    const { name, path } = model;
    const asked = to.process.ask({ type: 'load', model: name, path, contextTokens }, (report) => {
      if (report.type === 'loading') fresh.progress = report.progress;
      onReport(report);
    });
    asked.done.then(
      (report) => {
        if (report.type === 'loaded') {
          fresh.loaded = { ...report };
          armTimer(name, fresh);
        } else if (held.get(name) === fresh) held.delete(name);
        onReport(report);
      },
      () => undefined,
    );
    return asked;
  }

  async function sendUnload(to: Child, name: string): Promise<void> {
    const each = held.get(name);
    if (!each) return;
    each.cancelTimer();
    each.unloading = true;
    await to.process.ask({ type: 'unload', model: name }).done.catch(() => null);
    if (held.get(name) === each) held.delete(name);
  }

  function armTimer(name: string, each: Held): void {
    each.cancelTimer();
    each.expiresAt = null;
    if (users.has(name) || each.keepMs === 'never' || held.get(name) !== each) return;
    each.expiresAt = options.now() + each.keepMs;
    each.cancelTimer = options.after(each.keepMs, () => void unload(name));
  }

  async function unload(name: string): Promise<void> {
    const to = child;
    const each = held.get(name);
    if (!to || !each) return;
    if (held.size === 1 && to.process.pending === 0) await endChild(to);
    else await sendUnload(to, name);
  }

  /** Sends a load when it must, and after it, without waiting, what is wanted of the model; nothing comes in between. */
  async function withModel(
    model: ModelToRun,
    order: EngineOrder,
    onReport: OnReport,
    signal: AbortSignal,
  ): Promise<EngineReport> {
    const { name } = model;
    const me = {};
    line.push(me);
    let heard = false;
    const tell: OnReport = (report) => {
      heard = true;
      // The child counts commands; whoever waits wants to know how many are before.
      const position = line.indexOf(me);
      if (report.type !== 'queued') onReport(report);
      else if (position > 0) onReport({ ...report, position });
    };
    users.set(name, (users.get(name) ?? 0) + 1);
    held.get(name)?.cancelTimer();
    try {
      for (let attempt = 0; ; attempt++) {
        const before = child;
        const to = running();
        const load = sendLoad(to, model, tell);
        const work = to.process.ask(order, tell);
        const cancel = (): void => {
          load?.cancel();
          work.cancel();
        };
        signal.addEventListener('abort', cancel, { once: true });
        if (signal.aborted) cancel();
        // The work fails as well when its load does.
        const reports = await Promise.all([load?.done, work.done])
          .catch((error: unknown) => {
            // It had ended before this was asked, and nobody had noticed yet.
            if (error instanceof EngineEndedError && attempt === 0 && before === to && !heard) return null;
            throw error;
          })
          .finally(() => signal.removeEventListener('abort', cancel));
        if (reports === null) continue;
        const [loaded, done] = reports;
        if (to.startFailure) {
          // The next message tries anew, perhaps with an engine that was installed again.
          void endChild(to);
          return to.startFailure;
        }
        if (loaded?.type === 'failed' || loaded?.type === 'cancelled') return loaded;
        const now = held.get(name)?.loaded;
        if (now && (done.type === 'answered' || done.type === 'status'))
          now.memoryBytes = done.memoryBytes + now.vramBytes;
        // The load was another request's, which was cancelled or failed.
        const missing =
          done.type === 'failed' ? done.failure === 'not-loaded' : done.type === 'status' && !now;
        if (!missing || attempt > 0 || signal.aborted) return done;
        held.delete(name);
      }
    } finally {
      line.splice(line.indexOf(me), 1);
      const left = (users.get(name) ?? 1) - 1;
      if (left > 0) users.set(name, left);
      else users.delete(name);
      const now = held.get(name);
      if (now?.loaded) armTimer(name, now);
    }
  }

  return {
    stateOf(name) {
      const each = held.get(name);
      if (!each) return null;
      if (each.unloading) return { state: 'unloading' };
      if (!each.loaded) return { state: 'loading', progress: each.progress };
      const { loaded, keepMs, expiresAt } = each;
      const expiry = keepMs === 'never' ? 'never' : users.has(name) ? 'in-use' : expiresAt;
      return {
        state: 'loaded',
        contextTokens: loaded.contextTokens,
        memoryBytes: held.size === 1 ? loaded.memoryBytes : null,
        vramBytes: loaded.vramBytes,
        expiry: typeof expiry === 'number' ? { at: expiry } : expiry,
      };
    },
    get working() {
      return Math.min(1, line.length);
    },
    get queued() {
      return Math.max(0, line.length - 1);
    },
    load: (model, onReport, signal) => withModel(model, { type: 'status' }, onReport, signal),
    chat: (model, chat, onReport, signal) =>
      withModel(model, { type: 'chat', model: model.name, ...chat }, onReport, signal),
    unload,
    warm() {
      const to = running();
      options.after(DEFAULT_KEEP_MS, () => {
        if (child === to && held.size === 0 && to.process.pending === 0) void endChild(to);
      });
    },
    close() {
      if (child) void endChild(child);
    },
  };
}
