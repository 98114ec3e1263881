import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { makeHome } from '../../test/support/home.js';
import type { CrowdReport } from './crowd.program.js';
import { openDashboard } from './dashboard.js';
import { typeKeys } from './measure-keys.js';
import { pause, residentBytes, settledBytes } from './process-use.js';
import { percentile, type Line } from './report.js';

interface Crowd {
  readonly urls: readonly string[];
  reports(): Promise<readonly CrowdReport[]>;
  close(): void;
}

/** Keys, memory, polls and sockets with eight servers of which six are bad. */
export async function measureServers(quick: boolean): Promise<readonly Line[]> {
  const seconds = quick ? 40 : 300;
  const crowd = await startCrowd();
  const home = makeHome();
  const session = openDashboard(home, [
    '--no-discovery',
    ...crowd.urls.flatMap((url) => ['--url', `openai+${url}`]),
  ]);
  try {
    await session.until('crowd-6-0', 20_000);
    // Everything has been asked once, and what is kept is kept.
    await pause(quick ? 8_000 : 30_000);
    const early = await settledBytes(session.pid, 3_000);
    const samples: number[] = [];
    let lost = 0;
    let highest = early;
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      const round = await typeKeys(session, 24);
      samples.push(...round.samples);
      lost += round.lost;
      highest = Math.max(highest, residentBytes(session.pid));
      session.type('\x15');
      await pause(2_000);
    }
    const late = await settledBytes(session.pid, 5_000);
    const reports = await crowd.reports();
    const where = `8 servers (3 hang, 2 flap, one lists 5 MB), ${seconds} s`;
    const info = `${samples.length} keys`;
    return [
      {
        name: `key to screen with ${where}, p95`,
        value: percentile(samples, 0.95),
        unit: 'ms',
        base: null,
        atMost: 50,
        note: info,
      },
      { name: `key to screen with ${where}, keys lost`, value: lost, unit: 'keys', base: null, atMost: 0 },
      {
        name: `memory growth with ${where}`,
        value: (late - early) / 1e6,
        unit: 'MB',
        base: null,
        atMost: 10,
        note: `from ${Math.round(early / 1e6)} MB; highest ${Math.round(highest / 1e6)} MB`,
      },
      {
        name: `polls that overlap with ${where}`,
        value: reports.reduce((sum, { overlaps }) => sum + overlaps, 0),
        unit: 'polls',
        base: null,
        atMost: 0,
        note: `of ${reports.reduce((sum, { requests }) => sum + requests, 0)}`,
      },
      {
        name: `most connections to one server with ${where}`,
        value: Math.max(...reports.map(({ mostSockets }) => mostSockets)),
        unit: 'sockets',
        base: null,
        atMost: 4,
      },
    ];
  } finally {
    await session.close();
    home.remove();
    crowd.close();
  }
}

async function startCrowd(): Promise<Crowd> {
  const child = fork(fileURLToPath(new URL('./crowd.program.mjs', import.meta.url)));
  const { urls } = (await nextMessage(child)) as { readonly urls: readonly string[] };
  return {
    urls,
    async reports() {
      child.send('report');
      return ((await nextMessage(child)) as { readonly reports: readonly CrowdReport[] }).reports;
    },
    close: () => void child.kill(),
  };
}

function nextMessage(child: ChildProcess): Promise<unknown> {
  return new Promise((arrived) => child.once('message', arrived));
}
