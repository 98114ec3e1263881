import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';

const SCRIPT = path.resolve('scripts/real-server');

/** A real llama.cpp server that this run has started. */
export interface RealServer {
  readonly url: string;
  readonly port: number;
  /** Slots that work on a request now, as the server tells. */
  busySlots(): Promise<number>;
  /** Ends it as a crash does: its sockets are gone in the middle of an answer. */
  crash(): Promise<void>;
}

/** Why there is no real server here; null: there is one. Installs it the first time. */
export function realServerMissing(): string | null {
  const install = spawnSync(SCRIPT, ['--install'], { encoding: 'utf8' });
  if (install.status === 0) return null;
  return install.stderr.trim().split('\n').at(-1) ?? `scripts/real-server ended with ${install.status}`;
}

const running = new Set<ChildProcess>();

/** Starts one and waits until it is ready. `port` 0 takes a free one. */
export async function startRealServer(options: {
  readonly contextTokens: number;
  readonly port?: number;
}): Promise<RealServer> {
  const port = options.port ?? (await freePort());
  const child = spawn(
    SCRIPT,
    ['--port', String(port), '--ctx', String(options.contextTokens), '--slots', '2'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  running.add(child);
  await new Promise<void>((ready, fail) => {
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      if (said.includes('listening')) ready();
    });
    child.once('exit', (code) => fail(new Error(`the real server ended with ${code}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    async busySlots() {
      const slots = (await (await fetch(`${url}/slots`)).json()) as readonly {
        readonly is_processing: boolean;
      }[];
      return slots.filter((slot) => slot.is_processing).length;
    },
    crash: () => end(child),
  };
}

/** For afterAll: nothing may outlive the tests. */
export async function endRealServers(): Promise<void> {
  await Promise.all([...running].map(end));
}

function end(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((ended) => {
    child.once('exit', () => ended());
    child.kill('SIGKILL');
  });
}

function freePort(): Promise<number> {
  return new Promise((found, fail) => {
    const probe = net.createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => found(port));
    });
  });
}
