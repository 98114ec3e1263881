import fs from 'node:fs';
import path from 'node:path';
import { emptyView, extendView, isBehind, viewLength, viewNumberAt } from '../domain/log-filter.js';
import { compilePattern } from '../domain/log-pattern.js';
import { lineAt } from '../domain/log-ring.js';
import { otherRequests } from '../domain/log-span.js';
import { formatLogLine } from '../domain/log-text.js';
import type { Clock } from '../ports.js';
import type { LogsState } from '../state/state.js';

/** Time that filtering takes at a stretch; then keys have their turn. */
const STEP_MS = 8;

/**
 * Writes the lines that the log pane shows, by level, source, filter and answer, to a new file in the folder in which lmapp was started; never over one that is
 * there. Returns its path and the number of lines. Errors: those of the file system.
 */
export async function saveLog(
  logs: LogsState,
  clock: Clock,
  folder: string = process.cwd(),
): Promise<{ readonly file: string; readonly lines: number }> {
  const { turn } = logs;
  const compiled = logs.filter ? compilePattern(logs.filter.pattern) : null;
  let view = emptyView({
    level: logs.level,
    source: logs.source,
    pattern: compiled?.ok ? compiled.pattern : null,
    inverse: logs.filter?.inverse ?? false,
    ...(turn ? { span: { span: turn.span, others: otherRequests(logs.ring, turn.span) } } : {}),
  });
  do {
    const late = clock.monotonic() + STEP_MS;
    view = extendView(view, logs.ring, undefined, () => clock.monotonic() > late);
    if (isBehind(view)) await new Promise((resume) => setImmediate(resume));
  } while (isBehind(view));
  const count = viewLength(view, logs.ring);
  let text = '';
  for (let i = 0; i < count; i++) {
    const line = lineAt(logs.ring, viewNumberAt(view, logs.ring, i) ?? -1);
    if (line) text += `${formatLogLine(line)}\n`;
  }
  const file = await writeNew(folder, stampOf(clock.now()), text);
  return { file, lines: count };
}

/** `lmapp-log-20261123-204952.txt`, with a number when that is there already. */
async function writeNew(folder: string, stamp: string, text: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = `lmapp-log-${stamp}${number === 1 ? '' : `-${number}`}.txt`;
    const file = path.join(folder, name);
    try {
      // A log may tell what was asked.
      await fs.promises.writeFile(file, text, { flag: 'wx', mode: 0o600 });
      return file;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || number >= 100) throw error;
    }
  }
}

function stampOf(at: number): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}
