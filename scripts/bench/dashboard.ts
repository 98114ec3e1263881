import path from 'node:path';
import type { Home } from '../../test/support/home.js';
import { openSession, type SessionOptions, type TerminalSession } from './terminal-session.js';

declare const PROJECT_ROOT: string;

/** The built program; `LMAPP_BENCH_PROGRAM` names another one to measure, e.g. an earlier build. */
export const PROGRAM = process.env['LMAPP_BENCH_PROGRAM'] ?? path.join(PROJECT_ROOT, 'dist', 'main.js');

/** The title of the message box stands on the screen as soon as the program can be used. */
export const MESSAGE_BOX = 'Message';

/** The name of the scripted server's model, as lists and header show it. */
export const MODEL_NAME = 'scripted:1b';

export function openDashboard(
  home: Home,
  args: readonly string[],
  more: Partial<SessionOptions> = {},
): TerminalSession {
  return openSession({
    command: process.execPath,
    args: [PROGRAM, 'tui', ...args],
    ...more,
    env: { ...home.env, ...more.env },
  });
}

export const serverArgs = (url: string): string[] => ['--no-discovery', '--url', url];

/** A dashboard that has found its model and is at rest. */
export async function readyDashboard(
  home: Home,
  args: readonly string[],
  more: Partial<SessionOptions> = {},
): Promise<TerminalSession> {
  const session = openDashboard(home, args, more);
  await session.until(MESSAGE_BOX);
  await session.until(MODEL_NAME);
  await untilQuiet(session);
  return session;
}

/** Sends a message. */
export async function send(session: TerminalSession, text: string): Promise<void> {
  session.type(text);
  await session.until(text);
  session.type('\r');
}

/** Waits until the screen stands still but for the gauges. */
export async function untilQuiet(session: TerminalSession, quietMs = 700, atMostMs = 8_000): Promise<void> {
  const end = performance.now() + atMostMs;
  let chunks = session.chunks;
  for (let quietSince = performance.now(); performance.now() < end;) {
    await new Promise((resume) => setTimeout(resume, 50));
    if (session.chunks !== chunks) quietSince = performance.now();
    chunks = session.chunks;
    if (performance.now() - quietSince > quietMs) return;
  }
}

/** Quits by the keyboard as a user does; ends it the hard way when that does not help. */
export async function quit(session: TerminalSession): Promise<void> {
  session.type('\x03\x03');
  await session.untilExit(2_000).catch(() => undefined);
  await session.close();
}
