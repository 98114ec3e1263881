import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { LmappError, messageOf } from '../errors.js';
import { makePrivateDirectory } from '../files.js';
import type { Environment } from '../ports.js';
import { EngineEndedError } from './engine-ended.js';
import { startEngineProcess } from './engine-process.js';
import { takeInstallLock, type InstallLock } from './install-lock.js';
import type { GpuKind } from '../domain/set-up.js';
import { ENGINE_PACKAGE, installPlan, usesGpu, type InstallPlan } from './install-plan.js';
import { readInstalled, STAMP_FILE, type InstalledEngine, type Stamp } from './installed.js';
import { fileError, npmInstall } from './npm.js';

export interface InstallOptions {
  /** `$XDG_DATA_HOME/lmapp/engine`. */
  readonly directory: string;
  /** The program child.ts as it was built, which tries what was installed. */
  readonly childPath: string;
  readonly gpu: GpuKind | null;
  readonly env: Environment;
  /** Epoch ms. */
  readonly now: () => number;
  readonly onProgress: (progress: InstallProgress) => void;
  readonly platform?: NodeJS.Platform;
  readonly arch?: string;
  /** A program in place of `npm`. */
  readonly npm?: string;
}

export interface InstallProgress {
  /** `waiting`: another lmapp installs it. `checking`: it is tried. */
  readonly phase: 'waiting' | 'downloading' | 'checking' | 'done';
  /** Packages that are there, while they are fetched. */
  readonly packages: number | null;
  /** About; the last ones are the largest. */
  readonly packagesTotal: number | null;
}

const PACKAGES_ABOUT = 117;
const WAIT_STEP_MS = 250;
const CHECK_MS = 60_000;

/**
 * Fetches the engine into a folder beside its own, tries it there, and renames it: a part of it is never used, and what was there before
 * stays until then. Errors: LmappError; what the signal is aborted with.
 */
export async function installEngine(options: InstallOptions, signal: AbortSignal): Promise<InstalledEngine> {
  const { directory, platform = process.platform, arch = process.arch } = options;
  const plan = planOf(platform, arch, options.gpu);
  const told = (phase: InstallProgress['phase'], packages: number | null = null): void =>
    options.onProgress({
      phase,
      packages,
      packagesTotal: packages === null ? null : Math.max(packages, PACKAGES_ABOUT),
    });
  const lock = await waitForLock(directory, () => told('waiting'), signal);
  const beside = `${directory}.new-${randomBytes(4).toString('hex')}`;
  try {
    removeLeftovers(directory);
    const before = readInstalled(directory, platform, arch);
    if (typeof before !== 'string' && isAsPlanned(before, plan)) {
      told('checking');
      if ((await engineProblem(options, before, signal)) === null) {
        told('done');
        return before;
      }
    }
    prepare(beside, plan);
    let packages = 0;
    told('downloading', packages);
    const { env, npm } = options;
    await npmInstall(
      {
        folder: beside,
        packages: plan.packages,
        env,
        onPackage: () => told('downloading', ++packages),
        ...(npm === undefined ? {} : { npm }),
      },
      signal,
    );
    told('checking');
    writeStamp(beside, plan, options.now());
    const fresh = readInstalled(beside, platform, arch);
    if (typeof fresh === 'string')
      throw new LmappError('engine-npm', `npm ended without an error, but ${ENGINE_PACKAGE} is not there.`, {
        hint: 'Try again; npm config list tells what is special about this npm.',
      });
    const problem = await engineProblem(options, fresh, signal);
    if (problem !== null)
      throw new LmappError('engine-check', `The engine does not start on this machine: ${problem}`, {
        hint: 'Run models with a server instead (lmapp backends --help), or try again after an update of lmapp.',
      });
    replace(directory, beside);
    told('done');
    return { ...fresh, directory, modulePath: path.join(directory, path.relative(beside, fresh.modulePath)) };
  } finally {
    fs.rmSync(beside, { recursive: true, force: true, maxRetries: 3 });
    lock.release();
  }
}

/** Takes the engine away, with what broken installations left. False: there was nothing. Errors: LmappError. */
export function removeEngine(directory: string): boolean {
  const lock = tryLock(directory);
  if (!lock)
    throw new LmappError('engine-locked', 'Another lmapp is installing the engine.', {
      hint: 'Wait for its end, or stop it.',
    });
  try {
    const was = fs.existsSync(directory);
    removeLeftovers(directory);
    if (was) {
      // Renamed first, so that a removal that is stopped leaves no engine with holes.
      const old = `${directory}.old-${randomBytes(4).toString('hex')}`;
      fs.renameSync(directory, old);
      fs.rmSync(old, { recursive: true, force: true, maxRetries: 3 });
    }
    return was;
  } catch (error) {
    throw fileError(error, directory);
  } finally {
    lock.release();
  }
}

/** Errors: LmappError when nothing fits this system. */
export function planOf(platform: NodeJS.Platform, arch: string, gpu: GpuKind | null): InstallPlan {
  const plan = installPlan(platform, arch, gpu);
  if (plan) return plan;
  if (gpu !== null && installPlan(platform, arch, null))
    throw new LmappError(
      'engine-platform',
      `There is no ${gpu} part of the engine for ${platform} ${arch}.`,
      {
        hint: 'Install it without --gpu.',
      },
    );
  throw noPrebuiltEngine(platform, arch);
}

/** What is said where no engine was built for a system. */
export function noPrebuiltEngine(platform: string, arch: string): LmappError {
  return new LmappError('engine-platform', `There is no prebuilt engine for ${platform} ${arch}.`, {
    hint: 'Run models with a server instead: lmapp backends --help',
  });
}

/** Null: it starts. Else why not, as the end of a sentence. */
export async function engineProblem(
  { childPath, env }: Pick<InstallOptions, 'childPath' | 'env'>,
  { modulePath: module, parts }: Pick<InstalledEngine, 'modulePath' | 'parts'>,
  signal: AbortSignal,
): Promise<string | null> {
  signal.throwIfAborted();
  const child = startEngineProcess({
    childPath,
    env,
    onLog: () => undefined,
    onEnd: () => undefined,
  });
  const end = (): void => child.end();
  const timer = setTimeout(end, CHECK_MS);
  signal.addEventListener('abort', end, { once: true });
  try {
    const report = await child.ask({
      type: 'start',
      module,
      templates: null,
      threads: 1,
      gpu: usesGpu(parts),
    }).done;
    return report.type === 'failed' ? report.words : null;
  } catch (error) {
    signal.throwIfAborted();
    return error instanceof EngineEndedError ? error.end.words : messageOf(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    end();
  }
}

function isAsPlanned(found: InstalledEngine, plan: InstallPlan): boolean {
  return found.version === plan.version && plan.parts.every((part) => found.parts.includes(part));
}

async function waitForLock(directory: string, onWait: () => void, signal: AbortSignal): Promise<InstallLock> {
  for (let told = false; ; told = true) {
    signal.throwIfAborted();
    const lock = tryLock(directory);
    if (lock) return lock;
    if (!told) onWait();
    await new Promise((resolve) => setTimeout(resolve, WAIT_STEP_MS));
  }
}

function tryLock(directory: string): InstallLock | null {
  try {
    return takeInstallLock(directory);
  } catch (error) {
    throw fileError(error, directory);
  }
}

/** Of installations that were killed. Only the holder of the lock may do it. */
function removeLeftovers(directory: string): void {
  const name = path.basename(directory);
  for (const each of fs.readdirSync(path.dirname(directory)))
    if (each.startsWith(`${name}.new-`) || each.startsWith(`${name}.old-`))
      fs.rmSync(path.join(path.dirname(directory), each), { recursive: true, force: true });
}

function prepare(folder: string, plan: InstallPlan): void {
  try {
    makePrivateDirectory(folder);
    const { bavail, bsize } = fs.statfsSync(folder);
    const free = bavail * bsize;
    if (free < plan.diskBytes)
      throw new LmappError(
        'engine-no-space',
        `The engine takes ${megabytes(plan.diskBytes)}, and ${megabytes(free)} are free.`,
        { hint: 'Make room on the disk, or set XDG_DATA_HOME to another place.' },
      );
    fs.writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
  } catch (error) {
    throw error instanceof LmappError ? error : fileError(error, folder);
  }
}

function writeStamp(folder: string, { version, system, parts }: InstallPlan, installedAt: number): void {
  const stamp: Stamp = { version, system, parts, installedAt };
  fs.writeFileSync(path.join(folder, STAMP_FILE), `${JSON.stringify(stamp, null, 2)}\n`);
}

/** A folder cannot be renamed over one that is not empty. */
function replace(directory: string, fresh: string): void {
  try {
    const old = `${directory}.old-${randomBytes(4).toString('hex')}`;
    if (fs.existsSync(directory)) fs.renameSync(directory, old);
    fs.renameSync(fresh, directory);
    fs.rmSync(old, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    throw fileError(error, directory);
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
