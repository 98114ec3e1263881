import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { MachineFacts } from '../domain/hardware.js';
import { makePrivateDirectory } from '../files.js';
import type { Environment } from '../ports.js';

export interface FactsOptions {
  /** `$XDG_CACHE_HOME/lmapp/machine.json`. */
  readonly cacheFile: string;
  /** The program src/hardware/facts-child.ts as it was built. */
  readonly childPath: string;
  readonly env: Environment;
  /** Epoch ms. */
  readonly now: () => number;
  /** Runs the child; this Node unless given. */
  readonly node?: string;
  readonly timeoutMs?: number;
}

const KEPT_MS = 7 * 24 * 3600 * 1000;
const TIMEOUT_MS = 10_000;
const MOST_GPUS = 64;

interface Stored {
  readonly key: string;
  /** Epoch ms. */
  readonly savedAt: number;
  readonly facts: MachineFacts;
}

/**
 * What does not change while the program runs: processor, cards, system. From the disk when it was asked for in the last 7 days on this
 * machine with this kernel; else from the child. Never throws: what cannot be found out is null, and what Node knows is told anyway.
 */
export async function readFacts(options: FactsOptions): Promise<MachineFacts> {
  const key = machineKey();
  const stored = await readStored(options.cacheFile);
  const age = stored ? options.now() - stored.savedAt : Infinity;
  if (stored && stored.key === key && age >= 0 && age < KEPT_MS) return stored.facts;
  const facts = await askChild(options);
  if (!facts) return factsOfNode();
  await store(options.cacheFile, { key, savedAt: options.now(), facts });
  return facts;
}

/** Another machine behind the same home folder, another kernel or another number of processors asks anew. */
function machineKey(): string {
  const parts = [
    os.hostname(),
    os.platform(),
    os.arch(),
    os.release(),
    String(os.availableParallelism()),
    String(os.totalmem()),
  ];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 32);
}

async function askChild(options: FactsOptions): Promise<MachineFacts | null> {
  try {
    const { execa } = await import('execa');
    const result = await execa(options.node ?? process.execPath, [options.childPath], {
      stdin: 'ignore',
      stderr: 'ignore',
      env: { ...options.env, LC_ALL: 'C' },
      extendEnv: false,
      reject: false,
      windowsHide: true,
      timeout: options.timeoutMs ?? TIMEOUT_MS,
      forceKillAfterDelay: 1000,
      maxBuffer: 256 * 1024,
    });
    return typeof result.stdout === 'string' && !result.failed
      ? checkedFacts(JSON.parse(result.stdout))
      : null;
  } catch {
    return null;
  }
}

function factsOfNode(): MachineFacts {
  return {
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    processor: null,
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    gpus: [],
  };
}

async function readStored(file: string): Promise<Stored | null> {
  try {
    const read: unknown = JSON.parse(await fs.readFile(file, 'utf8'));
    if (typeof read !== 'object' || read === null) return null;
    const { key, savedAt, facts } = read as Readonly<Record<string, unknown>>;
    const checked = checkedFacts(facts);
    return typeof key === 'string' && typeof savedAt === 'number' && checked
      ? { key, savedAt, facts: checked }
      : null;
  } catch {
    return null;
  }
}

/** Written beside and renamed, so that another dashboard never reads half of it. A cache that cannot be written is no fault. */
async function store(file: string, stored: Stored): Promise<void> {
  const beside = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    makePrivateDirectory(path.dirname(file));
    await fs.writeFile(beside, JSON.stringify(stored), { mode: 0o600, flag: 'wx' });
    await fs.rename(beside, file);
  } catch {
    await fs.rm(beside, { force: true }).catch(() => undefined);
  }
}

function checkedFacts(read: unknown): MachineFacts | null {
  if (typeof read !== 'object' || read === null || !('gpus' in read)) return null;
  const told = read as Readonly<Record<string, unknown>>;
  const text = (name: string): string | null => {
    const value = told[name];
    return typeof value === 'string' && value !== '' ? value.slice(0, 200) : null;
  };
  const count = (name: string): number | null => {
    const value = told[name];
    return typeof value === 'number' && value > 0 ? value : null;
  };
  const gpus = Array.isArray(told['gpus'])
    ? told['gpus'].filter((name) => typeof name === 'string').slice(0, MOST_GPUS)
    : [];
  return {
    system: text('system'),
    processor: text('processor'),
    cores: count('cores'),
    memoryBytes: count('memoryBytes'),
    gpus,
  };
}
