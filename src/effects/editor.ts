import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { sanitize } from '../../widgets/text/sanitize.js';
import { messageOf } from '../errors.js';
import { PRIVATE_FILE_MODE } from '../files.js';
import type { Environment } from '../ports.js';

export type EditResult = { readonly text: string } | { readonly problem: string };

/**
 * Opens the user's editor on a text and waits for its end. The terminal must have been released. The file is private and goes away; when
 * the editor fails, the text is as it was.
 */
export async function editInEditor(text: string, env: Environment): Promise<EditResult> {
  const editor = env['VISUAL'] || env['EDITOR'] || (process.platform === 'win32' ? 'notepad' : 'vi');
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), 'lmapp-'));
  const file = path.join(folder, 'message.md');
  try {
    await fs.writeFile(file, text, { mode: PRIVATE_FILE_MODE });
    // Through the shell, as git does it: the variable may hold arguments (`code -w`).
    const result = await execa(`${editor} "${file}"`, {
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
