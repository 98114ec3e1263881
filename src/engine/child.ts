/**
 * A program of its own, started by engine.ts with an IPC channel: runs models with the installed engine. Native code that crashes, is
 * killed for want of memory or frees slowly never takes the dashboard along. It does one command after the other, and ends at once when
 * the channel closes, which it does in every way that the dashboard can end.
 */
import os from 'node:os';
import type { EngineCommand, EngineReport } from './protocol.js';
import { checkedCommand } from './protocol-check.js';
import { createRoom } from './room.js';

interface Waiting {
  readonly command: EngineCommand;
  readonly abort: AbortController;
}

/** The dashboard's keys come first when all cores are busy. */
const NICENESS = 5;
/** Reports are small, so many of them are on their way only when nobody reads; what then is lost is progress, never text. */
const MOST_UNREAD = 500;

const waiting: Waiting[] = [];
let running: Waiting | null = null;
let unread = 0;
const room = createRoom(report);

process.on('disconnect', end);
process.on('message', (told) => {
  const command = checkedCommand(told);
  if (command) take(command);
});
try {
  os.setPriority(NICENESS);
} catch {
  // Not allowed here: it runs at the priority of the dashboard.
}

function take(command: EngineCommand): void {
  if (command.type === 'cancel') return cancel(command.id);
  waiting.push({ command, abort: new AbortController() });
  if (running) report({ type: 'queued', id: command.id, position: waiting.length });
  else void next();
}

async function next(): Promise<void> {
  for (let each = waiting.shift(); each; each = waiting.shift()) {
    running = each;
    waiting.forEach(({ command }, i) => report({ type: 'queued', id: command.id, position: i + 1 }));
    report(await room.run(each.command, each.abort.signal));
  }
  running = null;
}

function cancel(id: number): void {
  if (running?.command.id === id) return running.abort.abort();
  const at = waiting.findIndex(({ command }) => command.id === id);
  if (at < 0) return;
  waiting.splice(at, 1);
  report({ type: 'cancelled', id });
  waiting
    .slice(at)
    .forEach(({ command }, i) => report({ type: 'queued', id: command.id, position: at + i + 1 }));
}

function report(told: EngineReport): void {
  const mayBeLost = told.type === 'prefill' || told.type === 'loading' || told.type === 'log';
  if (!process.connected || (mayBeLost && unread >= MOST_UNREAD)) return;
  unread++;
  process.send?.(told, () => unread--);
}

/** Not a plain exit: that waits for threads of the engine in the middle of their work, and frees gigabytes one by one. */
function end(): void {
  process.kill(process.pid, 'SIGKILL');
}
