import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { formatBytes } from '../../widgets/text/format.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { GpuSample } from '../domain/hardware.js';
import { messageOf } from '../errors.js';
import { findNvidiaSmi } from '../hardware/nvidia-smi.js';
import { nvidiaSleeps } from '../hardware/sleeping-gpu.js';
import type { Ports } from '../ports.js';
import { type Finding, ok, warn } from './finding.js';
import { lookAtMachine } from './machine-once.js';

const WAIT_MS = 8000;
const NO_FIGURES = 'Figures of the GPU are missing until it runs: look at its driver.';

/**
 * The cards that the dashboard would show, and why not. nvidia-smi is asked by itself, as it tells the driver's version; other cards by the
 * probes of the dashboard. `folder`: any of lmapp's; `root` holds proc/ and sys/, a test gives a tree of its own.
 */
export async function checkCards(ports: Ports, folder: string, root = '/'): Promise<readonly Finding[]> {
  const [nvidia, look] = await Promise.all([
    checkNvidia(ports, root),
    lookAtMachine(ports, folder, { machine: false, gpu: true, root }),
  ]);
  const others = look.gpus.filter((gpu) => !gpu.id.startsWith('nvidia')).map((gpu) => ok(sentenceOf(gpu)));
  const failed = Object.entries(look.failed)
    .filter(([source]) => source !== 'nvidia')
    .map(([source, { reason, hint }]) => warn(`${source}: ${reason}`, hint ?? NO_FIGURES));
  const found = [...nvidia, ...others, ...failed];
  return found.length > 0 ? found : [ok(noCard(ports.platform))];
}

function noCard(platform: Ports['platform']): string {
  if (platform === 'linux') return 'no card of NVIDIA (nvidia-smi), AMD or Intel was found';
  if (platform === 'darwin') return 'the GPU of this machine tells nothing';
  return 'no nvidia-smi: figures of GPUs are shown for NVIDIA cards only on this system';
}

function sentenceOf({ name, memoryTotalBytes, note }: GpuSample): string {
  const size = memoryTotalBytes === null ? '' : `, ${formatBytes(memoryTotalBytes)}`;
  return `${sanitizeLine(name)}${size}${note ? `, ${sanitizeLine(note)}` : ''}`;
}

async function checkNvidia(ports: Ports, root: string): Promise<readonly Finding[]> {
  const program = findNvidiaSmi(ports);
  if (program === null) {
    const hasDriver = ports.platform === 'linux' && fs.existsSync(path.join(root, 'proc/driver/nvidia'));
    const what = 'there is an NVIDIA driver, but no nvidia-smi';
    return hasDriver ? [warn(what, 'Install the NVIDIA utilities, or put it in PATH.')] : [];
  }
  if (nvidiaSleeps(root)) return [ok(`${program}, the card sleeps and is not woken`)];
  const { text, failed } = await outputOf(program, [
    '--query-gpu=name,driver_version',
    '--format=csv,noheader',
  ]);
  if (!failed && text !== '') return [ok(text)];
  return [warn(`${program} fails: ${text === '' ? 'it says nothing' : text}`, NO_FIGURES)];
}

/** The first line that a program says, or why it failed. */
function outputOf(program: string, args: readonly string[]): Promise<{ text: string; failed: boolean }> {
  return new Promise((done) => {
    execFile(program, [...args], { timeout: WAIT_MS, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const lines = `${stdout}\n${error ? stderr : ''}`.split('\n').map((line) => sanitizeLine(line).trim());
      const text =
        lines.find((line) => line !== '') ?? (error ? (messageOf(error).split('\n')[0] ?? '') : '');
      done({ text, failed: error !== null });
    });
  });
}
