/**
 * The life of the terminal in our hands: taken over, given back, stopped and continued; and given back in every way in which a program
 * can end. Nobody but main.ts ends the process, unless it does not within a second.
 */
import os from 'node:os';
import type { Clock } from '../ports.js';

const FORCED_EXIT_MS = 1000;
/** After SIGTSTP to ourselves nothing happened: there is no shell to come back to (an orphaned process group). */
const STOP_GRACE_MS = 20;

/** Everything that ends a process and can be caught: also a limit of CPU time (`ulimit -t`). Their numbers depend on the system. */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGALRM', 'SIGXCPU'] as const;

export const CLOSED_EXIT_CODE = 129;

export interface SessionOptions {
  readonly clock: Clock;
  /** Raw mode, alternate screen, modes on. */
  readonly acquire: () => void;
  /** The reverse; synchronous, must not throw on a closed terminal. */
  readonly release: () => void;
  /** False in tests that only have streams: no listeners of signals and exit. */
  readonly ownsProcess: boolean;
}

export interface Session {
  enter(): void;
  leave(): void;
  suspend(): void;
  withReleased<T>(run: () => Promise<T>): Promise<T>;
  /** The terminal is restored, the program told, and its exit code set. */
  end(exitCode: number, reason: string): void;
  onEnd(receive: (exitCode: number, reason: string) => void): void;
  onResume(receive: () => void): void;
}

export function createSession({ clock, acquire, release, ownsProcess }: SessionOptions): Session {
  /** `lent`: a child has the terminal. */
  let state: 'left' | 'entered' | 'suspended' | 'lent' = 'left';
  let ended = false;
  let listening = false;
  let receiveEnd: (exitCode: number, reason: string) => void = () => {};
  let receiveResume: () => void = () => {};

  function enter(): void {
    if (state === 'entered' || ended) return;
    if (ownsProcess && !listening) listen();
    state = 'entered';
    acquire();
  }

  function leave(): void {
    if (state === 'entered') release();
    state = 'left';
  }

  function end(exitCode: number, reason: string): void {
    if (ended) return;
    leave();
    ended = true;
    if (ownsProcess) {
      process.exitCode = exitCode;
      clock.after(FORCED_EXIT_MS, () => process.exit(exitCode));
    }
    receiveEnd(exitCode, reason);
  }

  function resume(): void {
    if (ended || state === 'left' || state === 'lent') return;
    // After a SIGSTOP nobody could leave; the shell has its own modes on, so all are set again.
    if (state === 'entered') release();
    state = 'entered';
    acquire();
    receiveResume();
    // A stopped job is not told of a new size of its terminal: Node asks for it when it gets the signal for that.
    if (ownsProcess && process.platform !== 'win32') process.kill(process.pid, 'SIGWINCH');
  }

  /** SIGTSTP from outside: a handler is in the default action's place, so the stop itself is ours to do. */
  const onStop = (): void => {
    if (state === 'entered') {
      release();
      state = 'suspended';
    }
    process.kill(process.pid, 'SIGSTOP');
  };

  function suspend(): void {
    if (state !== 'entered' || !ownsProcess || process.platform === 'win32') return;
    release();
    state = 'suspended';
    // The whole job stops, as with the terminal's own Ctrl+Z: also a parent such as npm that waits for us. The default action knows
    // orphaned process groups, which nobody could continue.
    process.off('SIGTSTP', onStop);
    process.kill(0, 'SIGTSTP');
    process.on('SIGTSTP', onStop);
    clock.after(STOP_GRACE_MS, () => {
      if (state === 'suspended') resume();
    });
  }

  function listen(): void {
    listening = true;
    for (const signal of SIGNALS) {
      const exitCode = 128 + (os.constants.signals[signal] ?? 0);
      process.on(signal, () => {
        // Ctrl+C in a child that has the terminal is the child's.
        if (state === 'lent' && (signal === 'SIGINT' || signal === 'SIGQUIT')) return;
        end(exitCode, signal);
      });
    }
    // Node would open its debugger, and say so in the middle of the screen.
    process.on('SIGUSR1', () => undefined);
    process.on('SIGTSTP', onStop);
    process.on('SIGCONT', resume);
    // The monitor runs before the error is printed, and whoever else listens keeps the last word.
    process.on('uncaughtExceptionMonitor', leave);
    process.on('exit', leave);
  }

  return {
    enter,
    leave,
    suspend,
    end,
    async withReleased(run) {
      const before = state;
      if (before === 'entered') release();
      state = 'lent';
      try {
        return await run();
      } finally {
        state = 'left';
        if (before === 'entered' && !ended) {
          enter();
          receiveResume();
        }
      }
    },
    onEnd(receive) {
      receiveEnd = receive;
    },
    onResume(receive) {
      receiveResume = receive;
    },
  };
}
