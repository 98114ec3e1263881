import type { Ports } from '../ports.js';
import { startChildLines, type ChildEnd, type ChildLines } from './child-lines.js';

/** What a program printed until its end. */
export interface Printed {
  readonly text: string;
  readonly end: ChildEnd;
}

const MOST_CHARS = 1024 * 1024;

/** Runs a program once and waits for its end; after `timeoutMs` it is ended. Never rejects. */
export function askProgram(
  { clock, env }: Ports,
  file: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<Printed> {
  return new Promise((resolve) => {
    const run: { child: ChildLines | null; late: boolean } = { child: null, late: false };
    const lines: string[] = [];
    let chars = 0;
    const cancel = clock.after(timeoutMs, () => {
      run.late = true;
      run.child?.stop();
    });
    const onEnd = (end: ChildEnd): void => {
      cancel();
      resolve({ text: lines.join('\n'), end });
    };
    startChildLines({
      file,
      args,
      env,
      onLine(line) {
        chars += line.length;
        if (chars <= MOST_CHARS) lines.push(line);
      },
      onEnd,
    }).then(
      (child) => {
        run.child = child;
        if (run.late) child.stop();
      },
      () => onEnd({ exitCode: null, signal: null, code: 'failed', lastLines: [] }),
    );
  });
}
