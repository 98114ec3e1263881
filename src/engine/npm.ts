import fs from 'node:fs';
import path from 'node:path';
import { LmappError } from '../errors.js';
import { systemCode } from '../files.js';
import type { Environment } from '../ports.js';

export interface NpmInstall {
  /** Absolute; it holds a package.json. */
  readonly folder: string;
  readonly packages: readonly string[];
  readonly env: Environment;
  /** A program in place of `npm`. */
  readonly npm?: string;
  /** Told of each package that is there: fetched, or from npm's cache. */
  readonly onPackage: () => void;
}

/** A cancel is a SIGTERM, and a SIGKILL so much later. */
const FORCE_KILL_MS = 2000;
const KEPT_OUTPUT = 8000;
const HELP = 'docs/embedded.md tells how to bring it from another machine.';

/** Codes of Node and npm for a registry that is not reached. */
const UNREACHED =
  /^(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR|ECONNABORTED)$/;
const UNTRUSTED = /^(?:SELF_SIGNED_CERT|UNABLE_TO_|CERT_|DEPTH_ZERO|ERR_TLS)/;

/**
 * Fetches packages with npm into a folder: no scripts of theirs are run, and optional ones (each kind of GPU) are left out. npm's own
 * configuration counts: registry, proxy, certificates. Errors: LmappError; what the signal is aborted with.
 */
export async function npmInstall(install: NpmInstall, signal: AbortSignal): Promise<void> {
  const first = await runNpm(install.npm ?? 'npm', [], install, signal);
  if (first !== 'no-npm') return;
  // It comes with Node, but a Node that was unpacked somewhere may not be in PATH.
  const beside = install.npm === undefined ? npmBesideNode() : null;
  const second = beside === null ? 'no-npm' : await runNpm(process.execPath, [beside], install, signal);
  if (second === 'no-npm')
    throw new LmappError('engine-no-npm', 'npm was not found, which fetches the engine.', {
      hint: `Install npm (it comes with Node.js), or put it into PATH. ${HELP}`,
    });
}

function npmBesideNode(): string | null {
  try {
    const bin = path.dirname(fs.realpathSync(process.execPath));
    const places = [path.join(bin, '..', 'lib'), bin].map((at) =>
      path.join(at, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    );
    return places.find((file) => fs.existsSync(file)) ?? null;
  } catch {
    return null;
  }
}

async function runNpm(
  file: string,
  before: readonly string[],
  { folder, packages, env, onPackage }: NpmInstall,
  signal: AbortSignal,
): Promise<'done' | 'no-npm'> {
  const { execa } = await import('execa');
  const args = [
    ...before,
    'install',
    '--prefix',
    folder,
    '--global=false',
    '--ignore-scripts',
    '--omit=optional',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--no-update-notifier',
    '--loglevel=http',
    // Whoever is without a network is to hear of it in seconds.
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000',
    '--fetch-retry-maxtimeout=4000',
    ...packages,
  ];
  const child = execa(file, args, {
    cwd: folder,
    env: { ...env },
    extendEnv: false,
    stdin: 'ignore',
    stdout: 'ignore',
    buffer: false,
    reject: false,
    cleanup: true,
    windowsHide: true,
    cancelSignal: signal,
    forceKillAfterDelay: FORCE_KILL_MS,
  });
  let output = '';
  let line = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    output = (output + text).slice(-KEPT_OUTPUT);
    const lines = (line + text).split('\n');
    line = (lines.pop() ?? '').slice(-KEPT_OUTPUT);
    for (const each of lines)
      if (/^npm http (?:fetch GET 200|cache) \S*\.tgz\b/.test(tarballLine(each))) onPackage();
  });
  const result = await child;
  signal.throwIfAborted();
  if (result.code === 'ENOENT') return 'no-npm';
  if (result.failed) throw npmError(output, result.exitCode ?? null);
  return 'done';
}

/** `npm http cache name@https://…/name-1.0.0.tgz 0ms` and `npm http fetch GET 200 https://….tgz 12ms`. */
function tarballLine(line: string): string {
  return line.replace(/^npm http cache \S+@(https?:)/, 'npm http cache $1');
}

function npmError(output: string, exitCode: number | null): LmappError {
  const code = /^npm (?:error|ERR!) code (\S+)/m.exec(output)?.[1] ?? '';
  const [, words = ''] = /^npm (?:error|ERR!) (?!code |errno |A complete log)(.{1,300})/m.exec(output) ?? [];
  if (UNREACHED.test(code))
    return new LmappError('engine-no-network', `The registry of npm cannot be reached (${code}).`, {
      hint: `Check the network and npm's proxy and registry (npm config list). ${HELP}`,
    });
  if (UNTRUSTED.test(code))
    return new LmappError('engine-no-network', `The certificate of the registry is not trusted (${code}).`, {
      hint: 'Set "cafile" of npm, or NODE_EXTRA_CA_CERTS.',
    });
  if (code === 'ENOSPC')
    return new LmappError('engine-no-space', 'The disk is full.', { hint: 'Make room, then install again.' });
  if (code === 'EBADPLATFORM')
    return new LmappError('engine-platform', 'There is no prebuilt engine for this system.', {
      hint: 'Run models with a server instead: lmapp backends --help',
    });
  if (/^E(?:401|403|404|TARGET|NEEDAUTH)$/.test(code))
    return new LmappError('engine-npm', `The registry does not give the engine (${code}): ${words}`, {
      hint: "Check npm's registry and sign-in: npm config get registry",
    });
  const how = [code, words].filter((part) => part !== '').join(': ') || `exit code ${exitCode ?? '?'}`;
  return new LmappError('engine-npm', `npm could not install the engine (${how}).`, {
    hint: `Try again, or run npm by hand. ${HELP}`,
  });
}

/** The words of an error of the file system, for those that meet it before npm does. */
export function fileError(error: unknown, directory: string): LmappError {
  const code = systemCode(error);
  return new LmappError(
    code === 'ENOSPC' ? 'engine-no-space' : 'engine-folder',
    `The folder ${directory} cannot be written (${code || String(error)}).`,
    { hint: 'Check its owner and the room on the disk; XDG_DATA_HOME chooses another place.', cause: error },
  );
}
