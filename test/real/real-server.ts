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
  /** Its model has left the memory; asking for this does not wake it. */
  sleeping(): Promise<boolean>;
  /** Ends it as a crash does: its sockets are gone in the middle of an answer. */
  crash(): Promise<void>;
}

/** Why there is no real server here; null: there is one. Installs it the first time. */
export function realServerMissing(): string | null {
  const install = spawnSync(SCRIPT, ['--install'], { encoding: 'utf8' });
  if (install.status === 0) return null;
  return install.stderr.trim().split('\n').at(-1) ?? `scripts/real-server ended with ${install.status}`;
}

const LITELLM_SCRIPT = path.resolve('scripts/real-litellm');

const running = new Set<ChildProcess>();
const groups = new Set<ChildProcess>();

/** Starts one and waits until it is ready. `port` 0 takes a free one. */
export async function startRealServer(options: {
  readonly contextTokens: number;
  readonly port?: number;
  readonly key?: string;
  /** Seconds without a request after which it lets go of its model. */
  readonly sleepSeconds?: number;
}): Promise<RealServer> {
  const port = options.port ?? (await freePort());
  const args = ['--port', String(port), '--ctx', String(options.contextTokens), '--slots', '2'];
  if (options.key !== undefined) args.push('--api-key', options.key);
  if (options.sleepSeconds !== undefined) args.push('--sleep', String(options.sleepSeconds));
  const child = spawn(SCRIPT, args, { stdio: ['ignore', 'pipe', 'ignore'] });
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
  const headers: Record<string, string> =
    options.key === undefined ? {} : { Authorization: `Bearer ${options.key}` };
  return {
    url,
    port,
    async busySlots() {
      const slots = (await (await fetch(`${url}/slots`, { headers })).json()) as readonly {
        readonly is_processing: boolean;
      }[];
      return slots.filter((slot) => slot.is_processing).length;
    },
    async sleeping() {
      const props = (await (await fetch(`${url}/props`, { headers })).json()) as {
        readonly is_sleeping?: boolean;
      };
      return props.is_sleeping === true;
    },
    crash: () => end(child),
  };
}

/** Why there is no real LiteLLM proxy here; null: there is one. Installs it the first time, which takes a minute. */
export function liteLlmMissing(): string | null {
  const install = spawnSync(LITELLM_SCRIPT, ['--install'], { encoding: 'utf8' });
  if (install.status === 0) return null;
  return install.stderr.trim().split('\n').at(-1) ?? `scripts/real-litellm ended with ${install.status}`;
}

/** A real LiteLLM proxy in front of a server; its only model is called `tiny`. */
export async function startLiteLlm(upstream: string, key: string): Promise<{ readonly url: string }> {
  const port = await freePort();
  const child = spawn(LITELLM_SCRIPT, ['--upstream', upstream, '--port', String(port), '--key', key], {
    stdio: 'ignore',
    // The proxy is a child of the script: a group of its own ends with it.
    detached: true,
  });
  groups.add(child);
  let gone: number | null = null;
  child.once('exit', (code) => (gone = code ?? 1));
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (gone !== null) throw new Error(`the LiteLLM proxy ended with ${gone}`);
    const alive = await fetch(`${url}/health/liveliness`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (alive) return { url };
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** For afterAll: nothing may outlive the tests. */
export async function endRealServers(): Promise<void> {
  await Promise.all([...running].map(end));
  for (const { pid } of groups) {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // It had ended by itself.
    }
  }
  groups.clear();
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
