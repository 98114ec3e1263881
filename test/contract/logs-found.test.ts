import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { placeText } from '../../src/domain/log-place.js';
import { findPlace } from '../../src/logs/found-place.js';
import { placeOfGroup } from '../../src/logs/server-output.js';
import { systemClock } from '../../src/ports.js';

let folder = '';
let server: ChildProcess | null = null;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-found-'));
});
afterEach(() => {
  server?.kill('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
});

async function find(url: string, usual: string | null, root: string, env = {}): Promise<string | null> {
  const place = await findPlace({ url, usual, root, ports: { clock: systemClock, env, platform: 'linux' } });
  return place && placeText(place);
}

/** A system in a folder: what listens where, and as what. */
function system(
  files: Readonly<Record<string, string>>,
  links: Readonly<Record<string, string>> = {},
): string {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  for (const [name, target] of Object.entries(links)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.symlinkSync(target, path.join(folder, name));
  }
  return folder;
}
/** 11434 is 2CAA. */
const LISTENING = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 777 1 0
   1: 0100007F:2CAB 0100007F:2CAA 01 00000000:00000000 00:00000000 00000000  1000        0 778 1 0
`;
const URL_HERE = 'http://127.0.0.1:11434';

describe('the log of a server that was found', () => {
  it('is the file that its process writes to', async () => {
    const log = path.join(folder, 'server.log');
    const out = fs.openSync(log, 'w');
    server = spawn(
      process.execPath,
      [
        '-e',
        `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`,
      ],
      { stdio: ['ignore', out, out] },
    );
    let port = '';
    while (port === '') {
      await new Promise((resolve) => setTimeout(resolve, 10));
      port = fs.readFileSync(log, 'utf8').trim();
    }
    expect(await find(`http://localhost:${port}`, 'journald:ollama', '/')).toBe(log);
    fs.rmSync(log);
    expect(await find(`http://localhost:${port}`, 'journald:ollama', '/')).toBeNull();
  });

  it('is the journal of its unit when it writes to the journal', async () => {
    const root = system(
      { 'proc/net/tcp': LISTENING, 'proc/42/cgroup': '0::/system.slice/my-llama.service\n' },
      { 'proc/42/fd/7': 'socket:[777]', 'proc/42/fd/1': 'socket:[900]', 'proc/42/fd/2': 'socket:[901]' },
    );
    expect(await find(URL_HERE, 'journald:ollama', root)).toBe('journald:my-llama.service');
  });

  it('is none when its process writes to a terminal, whatever its kind usually does', async () => {
    const root = system(
      {
        'proc/net/tcp': LISTENING,
        'proc/42/cgroup': '0::/user.slice/user-1000.slice/session-1.scope\n',
        'etc/systemd/system/ollama.service': '',
      },
      { 'proc/42/fd/7': 'socket:[777]', 'proc/42/fd/1': '/dev/pts/3', 'proc/42/fd/2': '/dev/pts/3' },
    );
    expect(await find(URL_HERE, 'journald:ollama', root)).toBeNull();
  });

  it('is never what the asking program itself writes', async () => {
    const out = path.join(folder, 'out.log');
    fs.writeFileSync(out, '');
    const root = system(
      { 'proc/net/tcp': LISTENING, 'proc/42/cgroup': '' },
      { 'proc/42/fd/7': 'socket:[777]', 'proc/42/fd/1': out },
    );
    expect(await find(URL_HERE, null, root)).toBe(out);
    fs.symlinkSync('42', path.join(root, 'proc/self'));
    expect(await find(URL_HERE, null, root)).toBeNull();
  });

  it('is the --log-file of llama.cpp', async () => {
    fs.writeFileSync(path.join(folder, 'l.log'), '');
    const root = system(
      {
        'proc/net/tcp': LISTENING,
        'proc/42/cgroup': '',
        'proc/42/cmdline': 'llama-server\0--log-file\0l.log\0',
      },
      { 'proc/42/fd/7': 'socket:[777]', 'proc/42/fd/1': '/dev/pts/3', 'proc/42/cwd': folder },
    );
    expect(await find(URL_HERE, null, root)).toBe(path.join(folder, 'l.log'));
  });

  it('is the usual unit while its process is that of another user, if that unit runs', async () => {
    const root = system({
      'proc/net/tcp': LISTENING,
      'lib/systemd/system/ollama.service': '',
      'sys/fs/cgroup/system.slice/ollama.service/cgroup.procs': '',
    });
    expect(await find(URL_HERE, 'journald:ollama', root)).toBe('journald:ollama');
    fs.rmSync(path.join(root, 'sys/fs/cgroup/system.slice/ollama.service'), { recursive: true });
    expect(await find(URL_HERE, 'journald:ollama', root)).toBeNull();
  });

  it('is the usual unit while nothing listens, to tell why', async () => {
    const root = system({ 'proc/net/tcp': '', 'etc/systemd/system/ollama.service': '' });
    expect(await find(URL_HERE, 'journald:ollama', root)).toBe('journald:ollama');
    expect(await find(URL_HERE, 'journald:other', root)).toBeNull();
    expect(await find('http://gpu-box:11434', 'journald:ollama', root)).toBeNull();
    expect(await find('nonsense', 'journald:ollama', root)).toBeNull();
  });

  it('is that of the container that publishes its port', async () => {
    const root = system({ 'proc/net/tcp': LISTENING });
    fs.writeFileSync(path.join(folder, 'docker'), `#!/bin/sh\n[ "$3" = publish=11434 ] && echo my-ollama`, {
      mode: 0o755,
    });
    expect(await find(URL_HERE, 'journald:ollama', root, { PATH: folder })).toBe('docker:my-ollama');
  });

  it('starts no program when nobody waits for the answer any more', async () => {
    const root = system({ 'proc/net/tcp': LISTENING });
    const ran = path.join(folder, 'ran');
    fs.writeFileSync(path.join(folder, 'docker'), `#!/bin/sh\ntouch ${ran}; echo my-ollama`, { mode: 0o755 });
    const ports = {
      clock: systemClock,
      env: { PATH: `${folder}:/usr/bin:/bin` },
      platform: 'linux' as const,
    };
    const asked = { url: URL_HERE, usual: null, root, ports };
    expect(await findPlace({ ...asked, signal: AbortSignal.abort() })).toBeNull();
    expect(fs.existsSync(ran)).toBe(false);
    expect(await findPlace(asked)).toEqual({ via: 'docker', container: 'my-ollama' });
    expect(fs.existsSync(ran)).toBe(true);
  });

  it('is a usual file or program only where there is one', async () => {
    const root = system({ 'logs/server.log': '' });
    const env = { HOME: folder, PATH: path.join(folder, 'bin') };
    expect(await find(URL_HERE, '~/logs/server.log', root, env)).toBe('~/logs/server.log');
    expect(await find(URL_HERE, '~/logs/other.log', root, env)).toBeNull();
    expect(await find(URL_HERE, 'lms:server', root, env)).toBeNull();
  });

  it.each([
    ['0::/system.slice/ollama.service', 'journald:ollama.service'],
    [
      '0::/user.slice/user-1000.slice/user@1000.service/app.slice/llama.service',
      'journald:user/llama.service',
    ],
    ['0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.scope', null],
    [`0::/system.slice/docker-${'ab'.repeat(32)}.scope`, 'docker:abababababab'],
    [`12:cpu:/docker/${'cd'.repeat(32)}\n0::/`, 'docker:cdcdcdcdcdcd'],
    [`0::/machine.slice/libpod-${'ef'.repeat(32)}.scope/container`, 'podman:efefefefefef'],
    ['0::/init.scope', null],
    ['0::/system.slice/--evil.service', null],
  ])('reads the control group %s', (group, place) => {
    const read = placeOfGroup(`${group}\n`);
    expect(read && placeText(read)).toBe(place);
  });
});
