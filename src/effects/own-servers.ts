import fs from 'node:fs';
import path from 'node:path';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { BackendType, Launch } from '../backends/backend.js';
import { backendTypeOf, backendTypes } from '../backends/registry.js';
import { localPort } from '../domain/local-port.js';
import type { LocalModelFile } from '../domain/model-file.js';
import { messageOf } from '../errors.js';
import type { AppEvent } from '../events/catalogue.js';
import { makePrivateDirectory, PRIVATE_FILE_MODE } from '../files.js';
import { findExecutable } from '../hardware/executable.js';
import type { Ports } from '../ports.js';
import type { Backends } from './backends.js';
import { isTaken } from './is-taken.js';
import { lastLineOf } from './last-line.js';

export interface OwnServersOptions {
  readonly ports: Ports;
  readonly publish: (event: AppEvent) => void;
  readonly backends: Backends;
  readonly serverOf: (backendId: string) => ListedServer | null;
  readonly findFiles: (signal: AbortSignal) => Promise<readonly LocalModelFile[]>;
  /** Output of servers goes to files in this folder. */
  readonly folder: string;
}

export interface ListedServer {
  readonly kind: string;
  readonly url: string;
  readonly away: boolean;
}

export interface OwnServers {
  /** Tells which servers could be started here; with `list` it puts them into the list. */
  look(list: boolean): Promise<void>;
  /** Without a file that it needs it tells those that there are, for a choice. */
  start(backendId: string, file: string | null): Promise<void>;
  stop(backendId: string): void;
  /** They stay when the dashboard ends. */
  leave(): void;
  /** Ends all, unless they are left; waits a moment for them. */
  close(): Promise<void>;
  /** The same at once. */
  closeNow(): void;
}

interface Running {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  wanted: boolean;
}

/** What execa tells of the end of a child. */
interface Ended {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly originalMessage?: string | undefined;
}

/** Kinds whose program is not on the usual path of a remote shell. */
const FURTHER_FOLDERS = ['/usr/local/bin', '/opt/homebrew/bin', '/snap/bin'];
/** A server listens some seconds after its start; it is asked again so often until then. */
const ASK_AGAIN_MS = 500;
const ASK_FOR_MS = 60_000;
const GRACE_MS = 3000;

/**
 * Servers that run as children of this program, each in a process group of its own and with its output in a file, so that it can be left
 * running. Two of one address are never started.
 */
export function createOwnServers(options: OwnServersOptions): OwnServers {
  const { ports, publish, backends } = options;
  const running = new Map<string, Running>();
  const starting = new Set<string>();
  /** Ports of those that run or are on their way: one that was just started listens only after a while. */
  const taken = new Map<string, number>();
  const abort = new AbortController();
  let left = false;

  function programOf({ launch }: BackendType): string | null {
    if (!launch?.program) return null;
    return findExecutable(launch.program, ports.env, ports.platform, FURTHER_FOLDERS);
  }

  function fail(backendId: string, message: string, hint: string): void {
    publish({ type: 'server.start.failed', backendId, message, hint });
  }

  async function filesFor(type: BackendType): Promise<readonly LocalModelFile[]> {
    const all = await options.findFiles(abort.signal);
    const asProgram = type.launch?.program === null;
    return all.filter(({ problem, chat, path: file }) => {
      if (problem !== null || !chat) return false;
      return !asProgram || file.endsWith('.llamafile');
    });
  }

  /** Tells the model files that it could be started with. */
  async function tellFiles(backendId: string): Promise<void> {
    const type = backendTypeOf(options.serverOf(backendId)?.kind ?? '');
    if (!type) return;
    const files = await filesFor(type).catch(() => []);
    if (abort.signal.aborted) return;
    if (files.length === 0)
      return fail(
        backendId,
        `no model file for ${type.title} was found on this disk`,
        'Name the folder of your files: lmapp config --set models.paths FOLDER',
      );
    publish({
      type: 'server.files.found',
      backendId,
      files: files.map(({ path: file, name, sizeBytes }) => ({ path: file, label: name, sizeBytes })),
    });
  }

  async function start(backendId: string, file: string | null): Promise<void> {
    const server = options.serverOf(backendId);
    const type = server && backendTypeOf(server.kind);
    const launch = type?.launch;
    if (!server || !type || !launch || running.has(backendId) || starting.has(backendId)) return;
    if (launch.needsFile && file === null) return tellFiles(backendId);
    const port = localPort(server.url);
    if (port === null) return;
    if ([...taken.values()].includes(port))
      return fail(
        backendId,
        `another server was started at port ${port} from here`,
        'End that one first, or give this one another port.',
      );
    starting.add(backendId);
    taken.set(backendId, port);
    try {
      await startAt(backendId, type, launch, server.url, file ?? '');
    } finally {
      starting.delete(backendId);
      if (!running.has(backendId)) taken.delete(backendId);
    }
  }

  async function startAt(
    backendId: string,
    type: BackendType,
    launch: Launch,
    url: string,
    file: string,
  ): Promise<void> {
    const { hostname, port: text } = new URL(url);
    const port = Number(text || 80);
    const host = hostname === 'localhost' ? '127.0.0.1' : hostname;
    const program = launch.program === null ? file : programOf(type);
    if (program === null)
      return fail(
        backendId,
        `${launch.program ?? type.title} was not found on this machine`,
        `Install ${type.title}.`,
      );
    if (await isTaken(host, port)) {
      backends.refresh(backendId);
      return fail(
        backendId,
        `something answers at ${host}:${port} already`,
        `Stop it, or name another port: lmapp backends add ${type.kind}+http://${host}:PORT`,
      );
    }
    const args = launch.args(host.replace(/^\[|\]$/g, ''), port, file);
    const logFile = path.join(options.folder, `${type.kind}-${port}.log`);
    try {
      makePrivateDirectory(options.folder);
      // The types of execa know descriptors up to 9 only; it takes any.
      const output = fs.openSync(logFile, 'w', PRIVATE_FILE_MODE) as 9;
      const { execa } = await import('execa');
      const child = execa(program, args, {
        stdio: ['ignore', output, output],
        // Ctrl+C in this terminal is not for it, and it may outlive the dashboard.
        detached: true,
        cleanup: false,
        buffer: false,
        reject: false,
        env: { ...launch.env?.(host, port) },
      });
      fs.closeSync(output);
      const { pid } = child;
      if (pid === undefined) {
        const { message } = (await child) as { readonly message?: string };
        return fail(
          backendId,
          `${type.title} could not be started: ${message ?? 'unknown reason'}`,
          'Start it by hand to see why.',
        );
      }
      child.unref();
      const one: Running = { pid, ended: child, wanted: false };
      running.set(backendId, one);
      const command = [path.basename(program), ...args].map((word) => sanitizeLine(word)).join(' ');
      publish({ type: 'server.started', backendId, pid, command, logFile });
      askUntilItAnswers(backendId);
      void child.then((result) => onExit(backendId, one, logFile, result));
    } catch (error) {
      fail(
        backendId,
        `${type.title} could not be started: ${messageOf(error)}`,
        'Start it by hand to see why.',
      );
    }
  }

  function onExit(
    backendId: string,
    one: Running,
    logFile: string,
    { exitCode, signal, originalMessage }: Ended,
  ): void {
    running.delete(backendId);
    taken.delete(backendId);
    if (abort.signal.aborted) return;
    const how =
      signal !== undefined
        ? `by ${signal}`
        : exitCode !== undefined
          ? `exit code ${exitCode}`
          : (originalMessage ?? 'it is gone');
    publish({ type: 'server.exited', backendId, wanted: one.wanted, how, lastLine: lastLineOf(logFile) });
    backends.refresh(backendId);
  }

  function askUntilItAnswers(backendId: string): void {
    const end = ports.clock.monotonic() + ASK_FOR_MS;
    const again = (): void => {
      if (abort.signal.aborted || !running.has(backendId)) return;
      backends.refresh(backendId);
      if (ports.clock.monotonic() < end && options.serverOf(backendId)?.away === true)
        ports.clock.after(ASK_AGAIN_MS, again);
    };
    ports.clock.after(ASK_AGAIN_MS, again);
  }

  function kill({ pid }: Running, signal: NodeJS.Signals): void {
    try {
      // With what it has started itself; Windows knows no groups.
      process.kill(ports.platform === 'win32' ? pid : -pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }

  return {
    async look(list) {
      const installed = backendTypes.filter((type) => programOf(type) !== null);
      const tell = (types: readonly BackendType[]): void => {
        if (list) for (const type of types) backends.addInstalled(type);
        publish({ type: 'servers.installed', kinds: types.map(({ kind }) => kind) });
      };
      tell(installed);
      // Those whose program is a file of the user's own are found with the model files, which takes a while.
      const files: BackendType[] = [];
      for (const type of backendTypes.filter(({ launch }) => launch?.program === null))
        if ((await filesFor(type).catch(() => [])).length > 0) files.push(type);
      if (files.length > 0 && !abort.signal.aborted) tell([...installed, ...files]);
    },
    start,
    stop(backendId) {
      const one = running.get(backendId);
      if (!one) return;
      one.wanted = true;
      kill(one, 'SIGTERM');
      ports.clock.after(GRACE_MS, () => {
        if (running.get(backendId) === one) kill(one, 'SIGKILL');
      });
    },
    leave: () => {
      left = true;
    },
    async close() {
      abort.abort();
      if (left || running.size === 0) return;
      const all = [...running.values()];
      for (const one of all) kill(one, 'SIGTERM');
      const allEnded = Promise.all(all.map(({ ended: each }) => each));
      await Promise.race([allEnded, new Promise<void>((done) => ports.clock.after(GRACE_MS, done))]);
      for (const one of running.values()) kill(one, 'SIGKILL');
    },
    closeNow() {
      abort.abort();
      if (!left) for (const one of running.values()) kill(one, 'SIGTERM');
    },
  };
}
