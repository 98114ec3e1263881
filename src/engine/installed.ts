import fs from 'node:fs';
import path from 'node:path';
import { ENGINE_PACKAGE, installPlan, usesGpu } from './install-plan.js';

/** An engine that was installed to its end. */
export interface InstalledEngine {
  readonly directory: string;
  readonly version: string;
  readonly parts: readonly string[];
  /** Epoch ms. */
  readonly installedAt: number | null;
  /** The entry file, which the child imports. */
  readonly modulePath: string;
  readonly gpu: boolean;
}

/** Why a folder holds no engine that can be used: `incomplete` stands for an installation without its last step. */
export type NotInstalled = 'absent' | 'incomplete' | 'other-system' | 'other-version';

/** Written last. A folder without it is no engine, whatever else is in it. */
export const STAMP_FILE = 'lmapp-engine.json';
/** What the child has found out about templates; it goes with the engine, whose version it depends on. */
export const TEMPLATES_FILE = 'lmapp-templates.json';
const LONGEST_STAMP = 10_000;

/** Reads one small file. An engine of another system (a home that was copied) or of another major version is none. */
export function readInstalled(
  directory: string,
  platform: NodeJS.Platform = process.platform,
  arch: string = process.arch,
): InstalledEngine | NotInstalled {
  const stamp = readStamp(directory);
  if (!stamp) return fs.existsSync(directory) ? 'incomplete' : 'absent';
  const plan = installPlan(platform, arch, null);
  if (stamp.system !== plan?.system) return 'other-system';
  if (stamp.version.split('.')[0] !== plan.version.split('.')[0]) return 'other-version';
  const modulePath = path.join(directory, 'node_modules', ENGINE_PACKAGE, 'dist', 'index.js');
  if (!fs.existsSync(modulePath)) return 'incomplete';
  const { version, parts, installedAt } = stamp;
  return { directory, version, parts, installedAt, modulePath, gpu: usesGpu(parts) };
}

/** The engine, or null when there is none that can be used. */
export function installedEngine(directory: string): InstalledEngine | null {
  const found = readInstalled(directory);
  return typeof found === 'string' ? null : found;
}

export interface Stamp {
  readonly version: string;
  readonly system: string;
  readonly parts: readonly string[];
  readonly installedAt: number | null;
}

function readStamp(directory: string): Stamp | null {
  try {
    const file = path.join(directory, STAMP_FILE);
    if (fs.statSync(file).size > LONGEST_STAMP) return null;
    const read: unknown = JSON.parse(fs.readFileSync(file, 'utf8'));
    if (typeof read !== 'object' || read === null) return null;
    const { version, system, parts, installedAt } = read as Readonly<Record<string, unknown>>;
    if (typeof version !== 'string' || !/^\d+\.\d+\.\d+$/.test(version) || typeof system !== 'string')
      return null;
    return {
      version,
      system,
      parts: Array.isArray(parts) ? parts.filter((part): part is string => typeof part === 'string') : [],
      installedAt: typeof installedAt === 'number' && Number.isFinite(installedAt) ? installedAt : null,
    };
  } catch {
    return null;
  }
}

/** Bytes of all files below a folder, without following links. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await fs.promises.readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  for (const entry of entries)
    if (entry.isFile())
      bytes += await fs.promises.stat(path.join(entry.parentPath, entry.name)).then(
        ({ size }) => size,
        () => 0,
      );
  return bytes;
}
