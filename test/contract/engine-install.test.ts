import { beforeAll, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import {
  installEngine,
  removeEngine,
  type InstallOptions,
  type InstallProgress,
} from '../../src/engine/install.js';
import { takeInstallLock } from '../../src/engine/install-lock.js';
import { installPlan } from '../../src/engine/install-plan.js';
import {
  installedEngine,
  readInstalled,
  STAMP_FILE,
  type InstalledEngine,
} from '../../src/engine/installed.js';
import { bundleProgram } from '../support/bundle.js';
import { isRunning, placeFakeEngine, placeFakePackage, until } from '../support/fake-engine.js';
import { fakeNpm, type FakeNpmOptions } from '../support/fake-npm.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();
const NEVER = new AbortController().signal;
const PLAN = installPlan(process.platform, process.arch, null);

let childPath = '';
beforeAll(async () => {
  childPath = await bundleProgram('src/engine/child.ts');
});

const directory = (): string => folder.path('place', 'engine');
const npm = (options?: FakeNpmOptions): ReturnType<typeof fakeNpm> => fakeNpm(folder.path('bin'), options);
/** What lies there, the engine and whatever was left beside it. */
const left = (): readonly string[] => fs.readdirSync(path.dirname(directory())).sort();

function install(
  more: Partial<InstallOptions> = {},
  signal: AbortSignal = NEVER,
  onProgress: (progress: InstallProgress) => void = () => undefined,
): Promise<InstalledEngine> {
  return installEngine(
    {
      directory: directory(),
      childPath,
      gpu: null,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder.path() },
      now: () => 1_700_000_000_000,
      onProgress,
      ...more,
    },
    signal,
  );
}

async function errorOf(work: Promise<unknown>): Promise<{ code: string; message: string; hint: string }> {
  try {
    await work;
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string };
    return { code, message, hint };
  }
  throw new Error('it went well');
}

describe('an installation of the engine', () => {
  it('fetches the pinned version without scripts and optional parts, tries it, and lies whole in its place', async () => {
    const { file, runs } = npm();
    const told: InstallProgress[] = [];
    const engine = await install({ npm: file }, NEVER, (progress) => told.push(progress));
    expect(engine).toMatchObject({ directory: directory(), version: PLAN?.version, parts: PLAN?.parts });
    expect(fs.existsSync(engine.modulePath)).toBe(true);
    expect(installedEngine(directory())).toEqual(engine);
    expect(runs()).toHaveLength(1);
    expect(runs()[0]).toEqual(
      expect.arrayContaining(['--ignore-scripts', '--omit=optional', ...(PLAN?.packages ?? ['?'])]),
    );
    expect(told.map(({ phase, packages }) => [phase, packages])).toEqual([
      ['downloading', 0],
      ['downloading', 1],
      ['downloading', 2],
      ['checking', null],
      ['done', null],
    ]);
    expect(left()).toEqual(['engine']);
  });

  it('of what is there already only tries it', async () => {
    const { file, runs } = npm();
    await install({ npm: file });
    await install({ npm: file });
    expect(runs()).toHaveLength(1);
  });

  it('waits for another one, and takes what that has brought', async () => {
    const gate = folder.path('open');
    const { file, runs } = npm({ gate });
    const first = install({ npm: file });
    await until(() => runs().length > 0);
    const second = install({ npm: file }, NEVER, ({ phase }) => {
      if (phase === 'waiting') fs.writeFileSync(gate, '');
    });
    expect(await second).toEqual(await first);
    expect(runs()).toHaveLength(1);
    expect(left()).toEqual(['engine']);
  });

  it('that is cancelled ends npm and leaves what was there before', async () => {
    placeFakeEngine(directory());
    const stamp = path.join(directory(), STAMP_FILE);
    const older = fs.readFileSync(stamp, 'utf8').replace(PLAN?.version ?? '?', '3.0.1');
    fs.writeFileSync(stamp, older);
    const { file, pids } = npm({ gate: folder.path('never') });
    const abort = new AbortController();
    const work = install({ npm: file }, abort.signal, ({ packages }) => {
      if (packages === 1) abort.abort();
    });
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
    await until(() => !pids().some(isRunning));
    expect(left()).toEqual(['engine']);
    expect(installedEngine(directory())?.version).toBe('3.0.1');
  });

  it('that waits can be cancelled, too', async () => {
    const lock = takeInstallLock(directory());
    const abort = new AbortController();
    const work = install({ npm: npm().file }, abort.signal, ({ phase }) => {
      if (phase === 'waiting') abort.abort();
    });
    await expect(work).rejects.toMatchObject({ name: 'AbortError' });
    lock?.release();
    expect(left()).toEqual([]);
  });

  it('whose engine does not start is never used, and leaves what was there before', async () => {
    const env = { PATH: process.env['PATH'] ?? '', FAKE_ENGINE_BROKEN: '1' };
    const { code, message } = await errorOf(install({ npm: npm().file, env }));
    expect(code).toBe('engine-check');
    expect(message).toContain('GLIBC_2.99 not found');
    expect(left()).toEqual([]);
    placeFakeEngine(directory());
    await errorOf(install({ npm: npm().file, env }));
    expect(left()).toEqual(['engine']);
    expect(installedEngine(directory())).not.toBeNull();
  });

  it('that brought nothing is told as that', async () => {
    expect((await errorOf(install({ npm: npm({ empty: true }).file }))).code).toBe('engine-npm');
    expect(left()).toEqual([]);
  });

  it('that was killed half-way is no engine, and the next one clears it away', async () => {
    placeFakePackage(directory());
    placeFakePackage(`${directory()}.new-0123abcd`);
    expect(readInstalled(directory())).toBe('incomplete');
    expect(installedEngine(directory())).toBeNull();
    await install({ npm: npm().file });
    expect(installedEngine(directory())).not.toBeNull();
    expect(left()).toEqual(['engine']);
  });

  it('whose process died long ago does not keep others from it', async () => {
    takeInstallLock(directory())?.release();
    const lock = `${directory()}.lock`;
    fs.writeFileSync(lock, '1');
    fs.utimesSync(lock, new Date(0), new Date(0));
    await install({ npm: npm().file });
    expect(left()).toEqual(['engine']);
  });

  it('for a system without a prebuilt engine says what to do instead', async () => {
    const { code, hint } = await errorOf(install({ platform: 'freebsd' }));
    expect([code, hint]).toEqual(['engine-platform', expect.stringContaining('lmapp backends')]);
    expect(await errorOf(install({ platform: 'darwin', arch: 'arm64', gpu: 'cuda' }))).toMatchObject({
      code: 'engine-platform',
      hint: 'Install it without --gpu.',
    });
  });
});

describe('without what it takes', () => {
  it('a network: the real npm is quick to say so, with what to do', async () => {
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: folder.path(),
      npm_config_registry: 'http://127.0.0.1:1/',
      npm_config_cache: folder.path('cache'),
    };
    const { code, message, hint } = await errorOf(install({ env }));
    expect([code, message]).toEqual(['engine-no-network', expect.stringContaining('ECONNREFUSED')]);
    expect(hint).toContain('docs/embedded.md');
    expect(left()).toEqual([]);
  });

  it('npm: says where it comes from', async () => {
    const { code, hint } = await errorOf(install({ npm: folder.path('no-such-npm') }));
    expect([code, hint]).toEqual(['engine-no-npm', expect.stringContaining('Node.js')]);
  });

  it('a folder: names it', async () => {
    fs.writeFileSync(folder.path('place'), 'a file');
    const { code, message } = await errorOf(install({ npm: npm().file }));
    expect([code, message]).toEqual(['engine-folder', expect.stringContaining(directory())]);
  });
});

describe('an engine that is there', () => {
  it('is removed once, with what broken installations left', () => {
    placeFakeEngine(directory());
    placeFakePackage(`${directory()}.old-0123abcd`);
    expect(removeEngine(directory())).toBe(true);
    expect(left()).toEqual([]);
    expect(removeEngine(directory())).toBe(false);
  });

  it('is not removed while it is being installed', async () => {
    placeFakeEngine(directory());
    const lock = takeInstallLock(directory());
    expect((await errorOf(Promise.resolve().then(() => removeEngine(directory())))).code).toBe(
      'engine-locked',
    );
    lock?.release();
    expect(installedEngine(directory())).not.toBeNull();
  });

  it('of another system or another major version is none', () => {
    placeFakeEngine(directory());
    const stamp = path.join(directory(), STAMP_FILE);
    const write = (change: object): void =>
      fs.writeFileSync(
        stamp,
        JSON.stringify({ ...(JSON.parse(fs.readFileSync(stamp, 'utf8')) as object), ...change }),
      );
    write({ version: '4.0.0' });
    expect(readInstalled(directory())).toBe('other-version');
    write({ system: 'win-x64' });
    expect(readInstalled(directory())).toBe('other-system');
    fs.writeFileSync(stamp, '{"version":"../../x"');
    expect(readInstalled(directory())).toBe('incomplete');
  });
});
