import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { LogLine, LogSourceState } from '../../src/domain/log.js';
import { readPlace } from '../../src/domain/log-place.js';
import { followChild } from '../../src/logs/child-source.js';
import type { LogSource } from '../../src/logs/log-source.js';
import { systemClock } from '../../src/ports.js';

let folder = '';
let source: LogSource | null = null;
let lines: LogLine[] = [];
let states: LogSourceState[] = [];
let progress: (string | null)[] = [];
let skipped = 0;
let done = false;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-children-'));
  [lines, states, progress, skipped, done] = [[], [], [], 0, false];
});
afterEach(() => {
  source?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A program of that name in PATH. What it was called with stands in NAME.calls, a call a line. */
function program(name: string, script: string): void {
  const file = path.join(folder, name);
  fs.writeFileSync(file, `#!/bin/sh\necho "$@" >> ${folder}/${name}.calls\n${script}\n`, { mode: 0o755 });
}
const calls = (name: string): string[] => {
  const file = path.join(folder, `${name}.calls`);
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trimEnd().split('\n') : [];
};

function follow(
  text: string,
  options: { once?: boolean; settleMs?: number; batchBytes?: number } = {},
): void {
  const read = readPlace(text);
  if (!read.ok || read.place.via === 'file') throw new Error(text);
  source = followChild({
    place: read.place,
    source: 'x',
    clock: systemClock,
    env: { PATH: `${folder}:/usr/bin:/bin` },
    platform: 'linux',
    lines: 50,
    random: () => 0.5,
    timing: { backOffMs: [20, 40], settleMs: options.settleMs ?? 150, quietMs: 300, killAfterMs: 100 },
    ...(options.once ? { once: true } : {}),
    ...(options.batchBytes === undefined ? {} : { limits: { batchBytes: options.batchBytes } }),
    onLines: (more, count) => {
      lines.push(...more);
      skipped += count;
    },
    onState: (state) => states.push(state),
    onProgress: (line) => progress.push(line?.text ?? null),
    onDone: () => (done = true),
  });
}

/** Waits for a condition of real children; the time is the limit of a failure, not a wait. */
async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 8000;
  while (!condition()) {
    if (performance.now() > end)
      throw new Error(
        `never: ${what}; ${JSON.stringify({ states, texts: lines.slice(-5).map((l) => l.text) })}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const has = (text: string): Promise<void> => until(() => lines.some((line) => line.text === text), text);
const at = (state: LogSourceState['state']): Promise<void> =>
  until(() => states.some((s) => s.state === state), state);

describe('a source that is a child', () => {
  it('reads a unit of the journal, and goes on behind its last line when it is started again', async () => {
    program(
      'journalctl',
      `case "$*" in
*after-cursor*) echo '{"__CURSOR":"s=a;i=2","__REALTIME_TIMESTAMP":"1764000001000000","PRIORITY":"4","MESSAGE":"second"}'; exec sleep 60;;
*) echo '{"__CURSOR":"s=a;i=1","__REALTIME_TIMESTAMP":"1764000000000000","PRIORITY":"6","MESSAGE":"first"}'; exit 1;;
esac`,
    );
    follow('journald:ollama');
    await has('second');
    expect(lines).toEqual([
      { at: 1_764_000_000_000, level: 'info', source: 'x', text: 'first' },
      { at: 1_764_000_001_000, level: 'warn', source: 'x', text: 'second' },
    ]);
    expect(calls('journalctl')[0]).toBe(
      '--unit ollama -o json --all --no-pager --output-fields=MESSAGE,PRIORITY -n 50 -f',
    );
    expect(calls('journalctl')[1]).toContain('--after-cursor=s=a;i=1 --no-tail -f');
    expect(states.map((s) => s.state)).toEqual(['starting', 'following', 'failed', 'following']);
  });

  it('takes both outputs of a container, tells docker itself from it, and shows no line twice', async () => {
    program(
      'docker',
      `case "$*" in
*since*) echo '2026-11-23T20:48:41.5Z two'; echo '2026-11-23T20:48:42Z three'; exec sleep 60;;
*) echo '2026-11-23T20:48:40Z one'; echo '2026-11-23T20:48:41.5Z two' >&2; exit 0;;
esac`,
    );
    follow('docker:box');
    await has('three');
    expect(lines.map((line) => line.text)).toEqual(['one', 'two', 'three']);
    expect(states).toContainEqual(
      expect.objectContaining({
        state: 'waiting',
        reason: 'the container box has stopped',
        nextTryMs: expect.any(Number),
      }),
    );
  });

  it.each<[string, string, string, LogSourceState['state'], RegExp, RegExp]>([
    [
      'docker:box',
      'docker',
      'echo "Error response from daemon: No such container: box" >&2; exit 1',
      'waiting',
      /no container box/,
      /docker ps -a/,
    ],
    [
      'docker:box',
      'docker',
      'echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1',
      'refused',
      /may not be used/,
      /usermod -aG docker/,
    ],
    ['podman:box', 'podman', 'echo "Cannot connect to Podman" >&2; exit 125', 'failed', /not running/, /./],
    [
      'journald:x',
      'journalctl',
      'echo "Hint: You are currently not seeing messages from other users and the system." >&2; exec sleep 60',
      'refused',
      /journal may not be read/,
      /systemd-journal/,
    ],
    [
      'journald:x',
      'journalctl',
      'echo "No journal files were found." >&2; exit 1',
      'failed',
      /no journal/,
      /./,
    ],
    [
      'ssh:box:/a.log',
      'ssh',
      'echo "me@box: Permission denied (publickey)." >&2; exit 255',
      'refused',
      /without a password/,
      /ssh-copy-id box/,
    ],
    [
      'ssh:box:/a.log',
      'ssh',
      'echo "Host key verification failed." >&2; exit 255',
      'refused',
      /key of box/,
      /ssh box/,
    ],
    [
      'ssh:box:/a.log',
      'ssh',
      'echo "ssh: Could not resolve hostname box: Name or service not known" >&2; exit 255',
      'failed',
      /host name box/,
      /spelling/,
    ],
    [
      'ssh:box:/a.log',
      'ssh',
      'echo "ssh: connect to host box port 22: Connection refused" >&2; exit 255',
      'failed',
      /no connection to box/,
      /./,
    ],
    [
      'ssh:box:/a.log',
      'ssh',
      `echo "tail: cannot open '/a.log' for reading: Permission denied" >&2; exec sleep 60`,
      'refused',
      /\/a.log on box may not be read/,
      /setfacl/,
    ],
    [
      'ssh:box:docker:c',
      'ssh',
      'echo "sh: docker: not found" >&2; exit 127',
      'failed',
      /docker is not installed on box/,
      /ssh:box:docker:c/,
    ],
    ['cmd:echo no luck >&2; exit 3', '', '', 'failed', /ended \(exit code 3\)/, /tried again/],
    ['cmd:true', '', '', 'waiting', /has ended/, /not started again/],
    ['lms:server', '', '', 'failed', /lms is not installed/, /lms:server/],
  ])('tells of %s what is wrong and the next step', async (place, name, script, state, reason, hint) => {
    if (name !== '') program(name, script);
    follow(place);
    await at(state);
    const told = states.find((s) => s.state === state);
    expect(told?.reason).toMatch(reason);
    expect(told?.hint).toMatch(hint);
  });

  it('goes on when a missing file on another machine appears', async () => {
    program(
      'ssh',
      `echo "tail: cannot open '/a.log' for reading: No such file or directory" >&2
sleep 0.3; echo "tail: '/a.log' has appeared;  following new file" >&2; echo hello; exec sleep 60`,
    );
    follow('ssh:box:/a.log');
    await has('hello');
    expect(states.map((s) => s.state)).toEqual(['starting', 'waiting', 'following']);
  });

  it('shows the lines of a file on another machine once, also when the connection breaks', async () => {
    const file = path.join(folder, 'far.log');
    fs.writeFileSync(file, 'same\nsame\none\nsame\n');
    program('ssh', `cat '${file}'; sleep 0.3; echo 'Connection to box closed by remote host.' >&2; exit 255`);
    follow('ssh:box:/far.log');
    await has('one');
    await until(() => states.some(({ state }) => state === 'failed'), 'broken');
    expect(states.find(({ state }) => state === 'failed')?.reason).toMatch(/closed by remote host$/);
    fs.appendFileSync(file, 'same\nwhile it was down\n');
    await has('while it was down');
    await until(() => calls('ssh').length > 3, 'twice more');
    expect(lines.map(({ text }) => text)).toEqual([
      'same',
      'same',
      'one',
      'same',
      'same',
      'while it was down',
    ]);
    fs.writeFileSync(file, 'another file\n');
    await has('another file');
  });

  it('reaches another machine without questions, and gives its shell every name as one word', async () => {
    program('ssh', 'exec sleep 60');
    follow(`ssh:me@box:~/my logs/it's;rm -rf $HOME.log`);
    await at('following');
    const [call = ''] = calls('ssh');
    expect(call).toMatch(/^-T -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=15/);
    expect(call).toMatch(/ me@box tail -n 50 -F -- ~\/'my logs\/it'\\''s;rm -rf \$HOME\.log'$/);
  });

  it('runs the remote part in a shell as it is meant', async () => {
    fs.mkdirSync(path.join(folder, 'my logs'));
    fs.writeFileSync(path.join(folder, 'my logs', "it's.log"), 'from the file\n');
    // What a server's shell does with the words of ssh.
    program('ssh', 'for last; do :; done; exec /bin/sh -c "$last"');
    follow(`ssh:box:${folder}/my logs/it's.log`);
    await has('from the file');
    source?.stop();
    follow('ssh:box:cmd:echo out; echo err >&2 # a comment');
    await has('err');
  });

  it('stops all programs of a command, also those that do not want to', async () => {
    follow(`cmd:trap '' TERM; echo ready; sleep 60 | cat; sleep 60`);
    await has('ready');
    const group = fs
      .readdirSync('/proc')
      .filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes('echo ready; sleep 60 | cat'));
    expect(group.length).toBeGreaterThan(0);
    source?.stop();
    await until(() => group.every((pid) => !commandLine(pid).includes('echo ready')), 'all ended');
  });

  it('shows a progress bar while it is written over, and only its end as a line', async () => {
    follow(
      `cmd:printf 'load 10%%\\r'; sleep 0.3; printf 'load 60%%\\r'; sleep 0.3; printf 'load done\\n'; sleep 60`,
    );
    await has('load done');
    expect(lines.map((line) => line.text)).toEqual(['load done']);
    expect(progress.filter((text) => text !== null)).toEqual(['load 10%', 'load 60%']);
    expect(progress.at(-1)).toBeNull();
  });

  it('counts what it does not read, to the line', async () => {
    follow('cmd:seq 1 400000; echo END; sleep 60', { batchBytes: 64 * 1024 });
    await has('END');
    expect(lines.length + skipped).toBe(400_001);
    expect(skipped).toBeGreaterThan(0);
  });

  it('reads what is there once, and ends', async () => {
    follow('cmd:echo a; echo b; exec sleep 60', { once: true });
    await until(() => done, 'done');
    expect(lines.map((line) => line.text)).toEqual(['a', 'b']);
  });
});

function commandLine(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
