import { fork, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeHome, type Home } from '../../test/support/home.js';
import { pause, treeCpuNs } from './process-use.js';
import type { Line } from './report.js';

/** Two cards that answer once a second, without a process for each answer; the list of programs on them comes at once. */
const FAKE_NVIDIA_SMI = `#!/bin/bash
case "$*" in *compute-apps*) exit 0;; esac
fields=$(( $(tr -cd , <<<"$1" | wc -c) + 1 ))
row() {
  printf '%s, GPU-%s, NVIDIA GeForce RTX 4090, %s, 18432, 24564, 61, 212.50, 450.00, 41' "$1" "$1" "$2"
  for (( i = 10; i < fields; i++ )); do printf ', [N/A]'; done
  printf '\\n'
}
exec 9<> <(:)
while :; do
  row 0 97
  row 1 3
  read -rt 1 -u 9
done
`;

/** Longer than the first looks for sensors and servers, and than the time the cards' first answer takes. */
const WARM_UP_MS = 4000;

/** What all gauges of the machine cost, against one that polls systeminformation for the same. Both run at once. */
export async function measureMachine(quick: boolean): Promise<readonly Line[]> {
  const home = makeHome();
  const folder = fakeTools(home);
  const env = { ...process.env, ...home.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` };
  const ours = start('machine-probes', env);
  const theirs = start('machine-si', env);
  try {
    await pause(WARM_UP_MS);
    const spanMs = quick ? 10_000 : 60_000;
    const before = [ours, theirs].map(({ pid }) => treeCpuNs(pid ?? 0));
    const told = await ask(ours);
    const began = performance.now();
    await pause(spanMs);
    const seconds = (performance.now() - began) / 1000;
    const [our = NaN, their = NaN] = [ours, theirs].map(
      ({ pid }, i) => ((treeCpuNs(pid ?? 0) - (before[i] ?? 0)) / 1e9 / seconds) * 100,
    );
    const [later, others] = [await ask(ours), await ask(theirs)];
    const perSecond = (kind: string): number => ((later[kind] ?? 0) - (told[kind] ?? 0)) / seconds;
    // A probe that does not tell anything costs nothing.
    if (perSecond('machine') < 0.8 || perSecond('gpus') < 0.8 || perSecond('detail') < 0.4)
      throw new Error(`the probes told too little: ${JSON.stringify(later)}`);
    const name = 'gauges of the machine at 1 Hz, all probes and their children';
    const rounds = others['machine'] ?? 0;
    return [
      { name, value: our, unit: '% of a core', base: null, atMost: 0.5 },
      {
        name,
        value: our,
        unit: '% of a core',
        base: { name: 'systeminformation, asked for the same', value: their },
        atMost: 0.1,
        note: `it came round ${rounds} times in ${Math.round(seconds + WARM_UP_MS / 1000)} s`,
      },
    ];
  } finally {
    ours.disconnect();
    theirs.disconnect();
    home.remove();
  }
}

function start(name: string, env: NodeJS.ProcessEnv): ChildProcess {
  return fork(fileURLToPath(new URL(`./${name}.program.mjs`, import.meta.url)), [], { env });
}

function ask(child: ChildProcess): Promise<Readonly<Record<string, number>>> {
  return new Promise((resolve) => {
    child.once('message', (counts) => resolve(counts as Readonly<Record<string, number>>));
    child.send('counts');
  });
}

function fakeTools(home: Home): string {
  const folder = path.join(home.folder, 'bin');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'nvidia-smi'), FAKE_NVIDIA_SMI, { mode: 0o755 });
  return folder;
}
