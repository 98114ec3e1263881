import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const dist = path.resolve('dist');

/** The files of the bundle that a command line loads, and the modules of Node that it uses. */
function loadedBy(args: readonly string[]): {
  readonly chunks: readonly string[];
  readonly builtins: readonly string[];
} {
  // NODE_DEBUG names every module that is loaded, also those of lazy imports.
  const { stderr, status } = spawnSync(process.execPath, [path.join(dist, 'main.js'), ...args], {
    env: { PATH: process.env['PATH'], NODE_DEBUG: 'module', HOME: '/nonexistent' },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  expect(status).toBe(0);
  const chunks = [
    ...new Set([...stderr.matchAll(/dist\/((?:chunks\/)?[\w-]+\.js)/g)].map(([, name = '']) => name)),
  ];
  const sources = chunks.map((name) => fs.readFileSync(path.join(dist, name), 'utf8'));
  const builtins = sources.flatMap((text) =>
    [...text.matchAll(/require\("(?:node:)?([a-z/_]+)"\)/g)].map(([, name = '']) => `node:${name}`),
  );
  return { chunks, builtins: [...new Set(builtins)] };
}

describe('the built program', () => {
  it('tells its version without loading blessed, yargs, ajv or the network code', () => {
    const { chunks, builtins } = loadedBy(['--version']);
    expect(chunks).toContain('main.js');
    const text = chunks.map((name) => fs.readFileSync(path.join(dist, name), 'utf8')).join('\n');
    expect(text).not.toMatch(/cursor_address|boolean-negation|node:https?\b|node:net\b|node:tls\b/);
    expect(builtins.filter((name) => /^node:(http|https|net|tls|child_process)$/.test(name))).toEqual([]);
    expect(text.length).toBeLessThan(20_000);
  });

  it('completes words without loading blessed, yargs or the network code', () => {
    const { builtins } = loadedBy(['__complete', 'bash', 'lmapp c']);
    expect(builtins.filter((name) => /^node:(http|https|net|tls|child_process)$/.test(name))).toEqual([]);
  });

  it('comes with compiled code of the first frame that this Node accepts', () => {
    const [, name = ''] = /"(dashboard-\w+)"/.exec(fs.readFileSync(path.join(dist, 'main.js'), 'utf8')) ?? [];
    const { version, platform, arch } = process;
    const cache = `${name}-${version}-${platform}-${arch}.cache`;
    const check = `
      const [source, cachedData] = process.argv.slice(1).map((file) => fs.readFileSync(file));
      console.log(new vm.Script(source.toString('latin1'), { cachedData }).cachedDataRejected);`;
    const { stdout } = spawnSync(
      process.execPath,
      ['-e', check, path.join(dist, `${name}.js`), path.join(dist, cache)],
      { env: { PATH: process.env['PATH'] }, encoding: 'utf8' },
    );
    expect(stdout).toBe('false\n');
  });

  it('contains no compiler of schemas', () => {
    const all = fs
      .readdirSync(path.join(dist, 'chunks'))
      .map((name) => fs.readFileSync(path.join(dist, 'chunks', name), 'utf8'));
    expect(all.some((text) => text.includes('strict mode: unknown keyword'))).toBe(false);
  });
});
