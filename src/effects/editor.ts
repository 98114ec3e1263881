import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { sanitize } from '../../widgets/text/sanitize.js';
import { messageOf } from '../errors.js';
import type { AppEvent } from '../events/catalogue.js';
import { PRIVATE_FILE_MODE } from '../files.js';
import type { Environment } from '../ports.js';

export type EditResult = { readonly text: string } | { readonly problem: string };

/** What needs a shell that stays: then the editor is its child, and is not reached by a signal. */
const COMPOUND = /[;&|<>()$`=\n]/;
/** Afterwards it is killed. The session waits a second for everything. */
const END_MS = 500;

/**
 * Opens the user's editor on a text and waits for its end, which `signal` asks for. The terminal must have been released. The file is
 * private and goes away; when the editor fails, the text is as it was.
 */
export async function editInEditor(text: string, env: Environment, signal: AbortSignal): Promise<EditResult> {
  const editor = env['VISUAL'] || env['EDITOR'] || (process.platform === 'win32' ? 'notepad' : 'vi');
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'lmapp-'));
  const file = path.join(folder, 'message.md');
  try {
    await fs.writeFile(file, text, { mode: PRIVATE_FILE_MODE });
    // Through the shell, as git does it: the variable may hold arguments (`code -w`).
    const exec = process.platform === 'win32' || COMPOUND.test(editor) ? '' : 'exec ';
    const result = await execa(`${exec}${editor} "${file}"`, {
      cancelSignal: signal,
      forceKillAfterDelay: END_MS,
      shell: true,
      stdio: 'inherit',
      reject: false,
      env: env as NodeJS.ProcessEnv,
    });
    if (result.failed)
      return {
        problem: `the editor "${editor}" ended with ${result.exitCode ?? result.signal ?? 'an error'}`,
      };
    const edited = await fs.readFile(file, 'utf8');
    // Editors put a line end at the end of a file; the message has none.
    return { text: sanitize(edited).replace(/\n$/, '') };
  } catch (error) {
    return { problem: `the editor "${editor}" could not be used: ${messageOf(error)}` };
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}

/** The message as it is now, or why it is as it was. */
export function editedMessage(result: EditResult): AppEvent {
  if ('text' in result) return { type: 'prompt.edited', edit: { op: 'set', text: result.text } };
  return {
    type: 'notice.raised',
    level: 'warn',
    text: result.problem,
    hint: 'Set EDITOR to the command of your editor.',
  };
}
