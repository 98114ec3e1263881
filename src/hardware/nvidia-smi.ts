import type { Ports } from '../ports.js';
import { findExecutable } from './executable.js';

/** Places beside PATH: WSL puts it where ssh and sudo do not look. */
const FURTHER_FOLDERS: Readonly<Record<string, readonly string[]>> = {
  linux: ['/usr/lib/wsl/lib'],
  win32: ['C:\\Windows\\System32'],
};

/** The tool of NVIDIA's driver; null when it is not installed. */
export function findNvidiaSmi({ env, platform }: Pick<Ports, 'env' | 'platform'>): string | null {
  return findExecutable('nvidia-smi', env, platform, FURTHER_FOLDERS[platform]);
}
