import fs from 'node:fs';
import path from 'node:path';
import type { LogPlace } from '../domain/log-place.js';
import { readPlace } from '../domain/log-place.js';
import type { Environment, Ports } from '../ports.js';
import { isListening, outputOfServer } from './server-output.js';

export interface FoundPlaceOptions {
  /** Address of the server. */
  readonly url: string;
  /** Where a server of its kind writes its log on this system; null when that differs. */
  readonly usual: string | null;
  readonly ports: Ports;
  /** Folder that holds proc/, sys/ and etc/; a test gives a tree of its own. */
  readonly root?: string;
  /** Ended: nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

const UNIT_FOLDERS: readonly string[] = [
  'etc/systemd/system',
  'run/systemd/system',
  'usr/local/lib/systemd/system',
  'usr/lib/systemd/system',
  'lib/systemd/system',
];
const ASKING_MS = 3000;

/**
 * Where a server of this machine writes its log: what the standard output of its process is (a file, the journal, a container), else the
 * usual place of its kind when there is something, else the container that publishes its port. Null: nobody can tell, for example
 * because it writes to a terminal, or because it runs elsewhere. Never throws.
 */
export async function findPlace({
  url,
  usual,
  ports,
  root = '/',
  signal,
}: FoundPlaceOptions): Promise<LogPlace | null> {
  const port = portHere(url);
  if (port === null) return null;
  const listening = ports.platform === 'linux' && (await isListening(port, root));
  if (listening) {
    const output = await outputOfServer(port, root);
    if (output !== null) return output === 'unknown' ? null : output;
  }
  const there = usual === null ? null : await usualPlace(usual, listening, ports, root);
  if (there) return there;
  return listening ? publishedBy(port, ports, signal) : null;
}

/** The port of an address of this machine; null for one elsewhere. */
function portHere(url: string): number | null {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return null;
  }
  if (!/^(?:localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)$/.test(parsed.hostname)) return null;
  return Number(parsed.port === '' ? (parsed.protocol === 'https:' ? 443 : 80) : parsed.port);
}

async function usualPlace(
  text: string,
  listening: boolean,
  { env, platform }: Ports,
  root: string,
): Promise<LogPlace | null> {
  const read = readPlace(text);
  if (!read.ok) return null;
  const { place } = read;
  switch (place.via) {
    case 'file':
      return (await exists(expanded(place.path, env))) ? place : null;
    case 'journald': {
      const unit = /\.\w+$/.test(place.unit) ? place.unit : `${place.unit}.service`;
      const known = await Promise.all(UNIT_FOLDERS.map((folder) => exists(path.join(root, folder, unit))));
      if (!known.includes(true)) return null;
      // Something listens there: is it that unit? One that runs has a control group.
      const groups = path.join(root, 'sys/fs/cgroup/system.slice');
      const told = listening && (await exists(groups));
      return !told || (await exists(path.join(groups, unit))) ? place : null;
    }
    case 'lms':
      return inPath('lms', env, platform) === null ? null : place;
    default:
      return place;
  }
}

/** The container that publishes a port; its server's process is none of ours. */
async function publishedBy(
  port: number,
  { env, platform }: Ports,
  signal: AbortSignal | undefined,
): Promise<LogPlace | null> {
  for (const via of ['docker', 'podman'] as const) {
    const file = inPath(via, env, platform);
    if (file === null) continue;
    // No child is started for a program that has ended.
    if (signal?.aborted) return null;
    const { execa } = await import('execa');
    const asked = await execa(file, ['ps', '--filter', `publish=${port}`, '--format', '{{.Names}}'], {
      stdin: 'ignore',
      reject: false,
      timeout: ASKING_MS,
      ...(signal ? { cancelSignal: signal } : {}),
      maxBuffer: 64 * 1024,
      env: { ...env, LC_ALL: 'C' },
      extendEnv: false,
    });
    const name = asked.failed ? '' : (asked.stdout.split(/[\n,]/)[0] ?? '').trim();
    const read = readPlace(`${via}:${name}`);
    if (name !== '' && read.ok) return read.place;
  }
  return null;
}

function inPath(name: string, env: Environment, platform: NodeJS.Platform): string | null {
  const windows = platform === 'win32';
  for (const folder of (env['PATH'] ?? env['Path'] ?? '').split(windows ? ';' : ':')) {
    if (folder === '') continue;
    const file = path.join(folder, windows ? `${name}.exe` : name);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  return null;
}

function expanded(text: string, env: Environment): string {
  return text
    .replace(/^~(?=\/)/, env['HOME'] ?? '~')
    .replace(/%(\w+)%/g, (whole, name: string) => env[name] ?? whole);
}

async function exists(file: string): Promise<boolean> {
  return fs.promises.access(file).then(
    () => true,
    () => false,
  );
}
