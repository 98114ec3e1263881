import { BackendError, type Backend } from '../backends/backend.js';
import type { Fault } from '../domain/fault.js';
import type { BackendCheck } from '../domain/model.js';
import type { AppEvent } from '../events/catalogue.js';
import { messageOf } from '../errors.js';
import type { Clock } from '../ports.js';

const CHECK_MS = 2000;
const LOADING_CHECK_MS = 1000;
const UNFOCUSED_CHECK_MS = 10_000;
/** The list is asked for anew after so many checks. */
const CHECKS_PER_LIST = 3;
const BACK_OFF_MS: readonly number[] = [2000, 4000, 8000, 15_000, 30_000];

export interface Polling {
  /** Asks again now, the list too. */
  refresh(): void;
  stop(): void;
}

export interface PollingOptions {
  readonly clock: Clock;
  readonly publish: (event: AppEvent) => void;
  readonly focused: () => boolean;
  /** 0..1, for the jitter of the back-off. */
  readonly random: () => number;
  /** After each answer: what the server told of itself may have changed (a router is known as one only then). */
  readonly onAnswer: () => void;
  /** It answers again after it was away, or in another way than before: perhaps it is another server now. False ends the polling. */
  readonly isStillIt: () => Promise<boolean>;
}

/**
 * Watches one server: health every 2 s, the list of models every third time and on request, back-off from 2 to 30 s while it is away.
 * One question at a time, so a server that hangs is never asked twice.
 */
export function startPolling(backend: Backend, options: PollingOptions): Polling {
  const { clock, publish } = options;
  const backendId = backend.info.id;
  const abort = new AbortController();
  let failures = 0;
  let checks = 0;
  let loading = false;
  let listDue = true;
  let asking = false;
  let again = false;
  /** Until the next question, when it was told already. */
  let delayMs: number | null = null;
  let cancelTimer: (() => void) | null = null;
  let version: string | null = null;
  /** The last answer that was not as this kind gives it, so that each is looked into once. */
  let oddity: string | null = null;

  async function ask(): Promise<void> {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    delayMs = null;
    cancelTimer?.();
    try {
      const check = await backend.check(abort.signal);
      loading = check.status.state === 'loading';
      if (isDoubtful(check) && !(await options.isStillIt())) return;
      if (abort.signal.aborted) return;
      failures = check.status.state === 'away' ? failures + 1 : 0;
      publish({ type: 'backend.checked', backendId, check, ...nextTry() });
      if (check.status.state === 'ready' && (listDue || checks++ % CHECKS_PER_LIST === 0)) await list();
      else if (check.status.state !== 'ready') listDue = true;
      options.onAnswer();
    } catch (error) {
      if (abort.signal.aborted) return;
      failures++;
      listDue = true;
      publish({ type: 'backend.lost', backendId, fault: faultOf(error), ...nextTry() });
    } finally {
      asking = false;
    }
    if (abort.signal.aborted) return;
    if (again) {
      again = false;
      void ask();
    } else cancelTimer = clock.after(delayMs ?? nextDelay(), () => void ask());
  }

  /** True when there are signs that another server answers. */
  function isDoubtful(check: BackendCheck): boolean {
    const { status } = check;
    if (status.state === 'away') {
      const answered = status.fault.status !== null || status.fault.code === 'not-a-server';
      const told = answered ? `${status.fault.code} ${status.fault.message}` : null;
      const odd = told !== null && told !== oddity;
      oddity = told;
      return odd;
    }
    const changed = status.state === 'ready' && version !== null && check.version !== version;
    if (status.state === 'ready') version = check.version;
    oddity = null;
    return failures > 0 || changed;
  }

  /** While it is away people want to know when it is asked again. */
  function nextTry(): { readonly nextTryMs?: number } {
    if (failures === 0) return {};
    delayMs = nextDelay();
    return { nextTryMs: clock.now() + delayMs };
  }

  async function list(): Promise<void> {
    try {
      const models = await backend.models(abort.signal);
      listDue = false;
      publish({ type: 'models.listed', backendId, models, fromCache: false });
    } catch (error) {
      if (!abort.signal.aborted) publish({ type: 'models.failed', backendId, fault: faultOf(error) });
    }
  }

  function nextDelay(): number {
    // A model that is being loaded is waited for by somebody.
    if (loading) return LOADING_CHECK_MS;
    if (failures === 0) return options.focused() ? CHECK_MS : UNFOCUSED_CHECK_MS;
    return backOffMs(failures, options.random);
  }

  void ask();
  return {
    refresh() {
      listDue = true;
      void ask();
    },
    stop() {
      abort.abort();
      cancelTimer?.();
      backend.close();
    },
  };
}

/** From 2 to 30 s, and a fifth more or less, so that many who wait for one server do not come all at once. */
export function backOffMs(failures: number, random: () => number): number {
  const base = BACK_OFF_MS[Math.min(failures, BACK_OFF_MS.length) - 1] ?? 30_000;
  return Math.min(30_000, base * (0.8 + 0.4 * random()));
}

/** The fault of anything that a backend threw. */
export function faultOf(error: unknown): Fault {
  return error instanceof BackendError
    ? error.fault
    : { code: 'server-error', message: messageOf(error), hint: null, status: null };
}
