import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

function filesIn(folder: string, ending: string): readonly string[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith(ending)).map((name) => path.join(folder, name));
}

describe('the documentation', () => {
  it('is up to date where it is made from the program', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/write-docs.mjs', '--check'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('links to files and names files that are there', () => {
    const pages = ['README.md', 'CONTRIBUTING.md', ...filesIn('docs', '.md')];
    const missing = pages.flatMap((page) => {
      const text = fs.readFileSync(page, 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) =>
        path.join(path.dirname(page), link),
      );
      const named = [...text.matchAll(/`((?:src|widgets|test|scripts|docs)\/[\w./-]+)`/g)];
      return [...links, ...named.map(([, name = '']) => name)]
        .filter((file) => !fs.existsSync(file))
        .map((file) => `${page}: ${file}`);
    });
    const said = ['src', 'widgets'].flatMap((folder) =>
      filesIn(folder, '.ts').flatMap((file) =>
        [...fs.readFileSync(file, 'utf8').matchAll(/docs\/[\w-]+\.md/g)]
          .filter(([page]) => !fs.existsSync(page))
          .map(([page]) => `${file}: ${page}`),
      ),
    );
    expect([...missing, ...said]).toEqual([]);
  });

  it('gives a reason for every package', () => {
    const { devDependencies, dependencies } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as Record<
      string,
      object | undefined
    >;
    // What is bundled is no dependency of an installation.
    expect(dependencies).toBeUndefined();
    const text = fs.readFileSync('docs/dependencies.md', 'utf8');
    expect(
      Object.keys(devDependencies ?? {}).filter((name) => !new RegExp(`[ |]${name}[ ,|]`).test(text)),
    ).toEqual([]);
  });
});
