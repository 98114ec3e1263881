import { fork, type ChildProcess } from 'node:child_process';
import type { Environment } from '../ports.js';
import { EngineEndedError, type EngineEnd } from './engine-ended.js';
import { isFinal, type EngineCommand, type EngineReport } from './protocol.js';
import { checkedReport } from './protocol-check.js';

export interface EngineProcessOptions {
  /** The program child.ts as it was built. */
  readonly childPath: string;
  readonly env: Environment;
  /** Runs the child; this Node unless given. */
  readonly node?: string;
  readonly onLog: (level: 'warn' | 'error', text: string) => void;
  /** Once, when it is gone for whatever reason. */
  readonly onEnd: (end: EngineEnd) => void;
}

export interface Asked {
  /** The last report. Errors: EngineEndedError. */
  readonly done: Promise<EngineReport>;
  /** The child is told; `done` resolves when it has heeded it. */
  cancel(): void;
}

/** A command without the id, which is given here. */
export type EngineOrder = EngineCommand extends infer C ? (C extends unknown ? Omit<C, 'id'> : never) : never;

export interface EngineProcess {
  /** Commands that are being done or wait. */
  readonly pending: number;
  ask(order: EngineOrder, onReport?: (report: EngineReport) => void): Asked;
  /** Ends it at once, with all its memory. */
  end(): void;
}

interface Pending {
  readonly onReport: (report: EngineReport) => void;
  readonly resolve: (report: EngineReport) => void;
  readonly reject: (error: Error) => void;
}

/** The end of what it writes to its standard error holds the reason of a crash. */
const KEPT_STDERR = 4000;
const LONGEST_REASON = 300;

/** Starts the child. It keeps this process alive only while it has something to do. */
export function startEngineProcess(options: EngineProcessOptions): EngineProcess {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let stderr = '';
  let ended: EngineEnd | null = null;
  let asked = false;
  const child = fork(options.childPath, [], {
    execPath: options.node ?? process.execPath,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...options.env },
  });
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => (stderr = (stderr + text).slice(-KEPT_STDERR)));
  child.stderr?.on('error', () => undefined);
  child.on('message', (told) => {
    const report = checkedReport(told);
    if (!report) return;
    if (report.type === 'log') return options.onLog(report.level, report.text);
    const each = pending.get(report.id);
    if (!each) return;
    if (!isFinal(report)) return each.onReport(report);
    pending.delete(report.id);
    keepAlive();
    each.resolve(report);
  });
  // What it wrote just before its end is read in the same turn, so a moment is left for it.
  child.once('exit', (code, signal) => void setImmediate(() => end(endOf(code, signal, stderr, asked))));
  child.on('error', (error) => {
    // Also that of a message that could not be sent, which the exit follows.
    if (child.pid === undefined) end({ words: error.message.slice(0, LONGEST_REASON), killed: false });
  });
  keepAlive();

  function end(how: EngineEnd): void {
    if (ended) return;
    ended = how;
    const left = [...pending.values()];
    pending.clear();
    child.stderr?.destroy();
    child.unref();
    options.onEnd(how);
    for (const { reject } of left) reject(new EngineEndedError(how));
  }

  function keepAlive(): void {
    const holds = pending.size > 0;
    const change = holds ? 'ref' : 'unref';
    child[change]();
    child.channel?.[change]();
    refOf(child)?.[change]();
  }

  function send(command: EngineCommand): void {
    // A channel that is closed already has an exit on its way, which tells more.
    if (child.connected) child.send(command, () => undefined);
  }

  return {
    get pending() {
      return pending.size;
    },
    ask(order, onReport = () => undefined) {
      if (ended) return { done: Promise.reject(new EngineEndedError(ended)), cancel: () => undefined };
      const id = ++lastId;
      const done = new Promise<EngineReport>((resolve, reject) =>
        pending.set(id, { onReport, resolve, reject }),
      );
      keepAlive();
      send({ ...order, id });
      return { done, cancel: () => pending.has(id) && send({ type: 'cancel', id }) };
    },
    end() {
      asked = true;
      // Whoever waits for its end is to see it.
      child.ref();
      child.kill('SIGKILL');
    },
  };
}

/** The pipe holds the process as well. */
function refOf({ stderr }: ChildProcess): { ref(): unknown; unref(): unknown } | null {
  return stderr && 'unref' in stderr ? (stderr as unknown as { ref(): unknown; unref(): unknown }) : null;
}

function endOf(code: number | null, signal: string | null, stderr: string, asked: boolean): EngineEnd {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^at |^Node\.js v|^\^+$/.test(line));
  const reason = lines.findLast((line) => /error|assert|fail|abort/i.test(line)) ?? lines.at(-1);
  const how = signal ? `signal ${signal}` : `exit code ${code ?? '?'}`;
  return {
    words: reason ? `${how}: ${reason.slice(0, LONGEST_REASON)}` : how,
    killed: signal === 'SIGKILL' && !asked,
  };
}
