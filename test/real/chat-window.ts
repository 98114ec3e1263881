import fs from 'node:fs';
import path from 'node:path';
import type { Home } from '../support/home.js';
import { openPty, type PtySession } from '../support/pty.js';

/** A real model on a busy machine takes its time: how long anything is waited for, unless said otherwise. */
export const PATIENCE_MS = 60_000;

/** The small model may repeat itself without end: no answer is longer than this, and each run of the tests asks for the same ones. */
export const CALM = { LMAPP_MAX_TOKENS: '80', LMAPP_SEED: '7' } as const;
/** For chats that stop an answer in its middle: it has to last until then. */
export const LASTING: readonly string[] = ['--max-tokens', '200'];

/** The dashboard on a real server, as a user has it: 120x40, all panes. */
export interface ChatWindow extends PtySession {
  /** Sends a message and waits until its answer is under way, or over already: a short one may be faster than a look at the screen. */
  ask(text: string): Promise<void>;
  /** Waits until the phase bar says that the answer is over, by itself or at its limit. */
  answered(): Promise<void>;
  /** Waits until the running answer has some words on the screen, and returns them. */
  someWords(): Promise<readonly string[]>;
  /** The part of these words that is in the transcript now. */
  shareShown(words: readonly string[]): number;
  phaseBar(): string;
}

const COLUMNS = 120;
const ROWS = 40;
/** The transcript stands to the right of models and machine. */
const LEFT_PANES_COLUMNS = 39;
const ENOUGH_WORDS = 8;
/** The figures of an answer that came to its end or its limit; before them stands what else an answer came to. */
const WHOLE = /^ (cut off · )?(≈ )?[\d,]+ tok · .*first after/;

const open = new Set<PtySession>();

export async function openChat(
  home: Home,
  url: string,
  args: readonly string[] = [],
  /** What the screen shows when it is ready. */
  model: string | RegExp = /SmolLM2/i,
): Promise<ChatWindow> {
  const program = [
    path.resolve('dist/main.js'),
    'tui',
    '--no-discovery',
    ...(url === '' ? [] : ['--url', url]),
    ...args,
  ];
  const session = openPty(process.execPath, program, {
    columns: COLUMNS,
    rows: ROWS,
    env: { ...CALM, ...home.env },
  });
  open.add(session);
  const { waitFor } = session;
  session.waitFor = (what, timeoutMs = PATIENCE_MS) => waitFor(what, timeoutMs);
  await session.waitFor(model);

  const phaseBar = (): string => session.line(ROWS - 1);
  const running = (): boolean => /Esc stop/i.test(phaseBar());
  const transcript = (): string => {
    const rows = session.screen().split('\n');
    const messageBox = rows.findIndex((row) => row.includes('Message'));
    return rows
      .slice(1, messageBox)
      .map((row) => row.slice(LEFT_PANES_COLUMNS))
      .join('\n');
  };
  const ended = (): number => transcript().split('first after').length - 1;
  let before = new Set<string>();
  const newWords = (): string[] => wordsOf(transcript()).filter((word) => !before.has(word));

  return Object.assign(session, {
    phaseBar,
    async ask(text: string) {
      session.type(text);
      await session.waitFor(text);
      before = new Set([...wordsOf(transcript()), ...wordsOf(text)]);
      const endedBefore = ended();
      session.type('\r');
      await session.waitFor(() => running() || ended() > endedBefore);
    },
    // A speed is not waited for: none is said of an answer that took no time.
    answered: () => session.waitFor(() => WHOLE.test(phaseBar())),
    async someWords() {
      await session.waitFor(() => newWords().length >= ENOUGH_WORDS);
      // The last one may be half a word still.
      return newWords().slice(0, -1);
    },
    shareShown(words: readonly string[]) {
      const shown = transcript();
      return words.filter((word) => shown.includes(word)).length / words.length;
    },
  });
}

/** For afterEach: also those that a failed test has left open. */
export function closeChats(): void {
  for (const session of open) session.close();
  open.clear();
}

const wordsOf = (text: string): string[] => [...new Set(text.match(/[A-Za-z]{5,}/g) ?? [])];

/** Every question and answer that the program has stored, the pieces of an answer put together. */
export function storedText(home: Home): string {
  if (!fs.existsSync(home.chats)) return '';
  return fs
    .readdirSync(home.chats)
    .filter((name) => name.endsWith('.ndjson'))
    .flatMap((name) => fs.readFileSync(path.join(home.chats, name), 'utf8').split('\n'))
    .map(storedIn)
    .join('');
}

function storedIn(line: string): string {
  try {
    const { t, text, answer } = JSON.parse(line) as { t?: string; text?: string; answer?: { text?: string } };
    return t === 'prompt' ? `${text}\n` : (answer?.text ?? '');
  } catch {
    // The last line may be half written.
    return '';
  }
}

/** Asks again and again until it is so; for what is not on the screen. */
export async function untilTrue(
  what: string,
  holds: () => boolean | Promise<boolean>,
  timeoutMs = PATIENCE_MS,
): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await holds());) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
