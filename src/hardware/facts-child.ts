/**
 * A program of its own, started by facts.ts and portable.ts: asks systeminformation, whose calls block and start further programs.
 * Without an argument it prints the facts of this machine as one JSON line. With `--poll MS` it prints a sample per interval until
 * nobody reads any more.
 */
import fs from 'node:fs';
import os from 'node:os';
import si from 'systeminformation';
import type { MachineFacts, MachineSample } from '../domain/hardware.js';

const DISK_EVERY_MS = 30_000;
const ANSWER_MS = 8000;

async function readFacts(): Promise<MachineFacts> {
  const [system, processor, memory, graphics] = await Promise.all([
    orNull(si.osInfo()),
    orNull(si.cpu()),
    orNull(si.mem()),
    orNull(si.graphics()),
  ]);
  const brand = [processor?.manufacturer, processor?.brand].filter((part) => part).join(' ');
  return {
    system: system
      ? [system.distro, system.release, system.arch].filter((part) => part && part !== 'unknown').join(' ')
      : null,
    processor: brand === '' ? null : brand,
    cores: processor?.cores || null,
    memoryBytes: memory?.total || null,
    // Names only: the amount of memory is wrong for cards whose driver is not running.
    gpus: (graphics?.controllers ?? [])
      .map((card) => nameOfCard(card.vendor, card.name || card.model))
      .filter((name) => name !== ''),
  };
}

function nameOfCard(vendor: string, model: string): string {
  const maker = vendor.replace(/,? (?:Inc\.?|Corporation|Corp\.?|Ltd\.?)$/gi, '').trim();
  return model.toLowerCase().startsWith(maker.toLowerCase()) ? model.trim() : `${maker} ${model}`.trim();
}

interface CpuTimes {
  readonly total: number;
  readonly busy: number;
}

/** One sample per interval; the next is asked for only when the last was told, so slow answers never pile up. */
async function poll(intervalMs: number): Promise<void> {
  let before: readonly CpuTimes[] | null = null;
  let diskFreeBytes: number | null = null;
  let diskAt = -Infinity;
  const parent = process.ppid;
  for (;;) {
    const cores = coreTimes();
    const shares =
      before && before.length === cores.length ? cores.map((core, i) => share(before?.[i], core)) : null;
    const wholeNow = sum(cores);
    const whole = before && before.length === cores.length ? share(sum(before), wholeNow) : null;
    before = cores;
    if (performance.now() - diskAt >= DISK_EVERY_MS) {
      diskAt = performance.now();
      diskFreeBytes = await orNull(fs.promises.statfs(os.homedir()).then((stat) => stat.bavail * stat.bsize));
    }
    const sample: MachineSample = {
      cpu: whole,
      cores: shares && shares.every((value) => value !== null) ? shares : null,
      ...(await memory()),
      memoryLimited: false,
      // Windows has no load average and says 0.
      load1: process.platform === 'win32' ? null : (os.loadavg()[0] ?? null),
      diskFreeBytes,
      ...(await network()),
    };
    process.stdout.write(`${JSON.stringify(sample)}\n`);
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
    // The parent was killed without a chance to end this program.
    if (process.ppid !== parent) process.exit(0);
  }
}

type Memory = Pick<
  MachineSample,
  'memoryUsedBytes' | 'memoryTotalBytes' | 'swapUsedBytes' | 'swapTotalBytes'
>;

async function memory(): Promise<Memory> {
  // On Windows systeminformation would start a PowerShell each time.
  const told = process.platform === 'win32' ? null : await orNull(si.mem());
  return {
    memoryUsedBytes: told ? told.active : os.totalmem() - os.freemem(),
    memoryTotalBytes: told ? told.total : os.totalmem(),
    swapUsedBytes: told ? told.swapused : null,
    swapTotalBytes: told ? told.swaptotal : null,
  };
}

async function network(): Promise<Pick<MachineSample, 'netReceivedPerSecond' | 'netSentPerSecond'>> {
  const told = process.platform === 'win32' ? null : (await orNull(si.networkStats()))?.[0];
  return { netReceivedPerSecond: told?.rx_sec ?? null, netSentPerSecond: told?.tx_sec ?? null };
}

function coreTimes(): CpuTimes[] {
  return os.cpus().map(({ times }) => {
    const busy = times.user + times.nice + times.sys + times.irq;
    return { busy, total: busy + times.idle };
  });
}

function sum(cores: readonly CpuTimes[]): CpuTimes {
  return cores.reduce((all, core) => ({ busy: all.busy + core.busy, total: all.total + core.total }), {
    busy: 0,
    total: 0,
  });
}

function share(before: CpuTimes | undefined, now: CpuTimes): number | null {
  if (!before || now.total <= before.total) return null;
  return Math.min(1, Math.max(0, (now.busy - before.busy) / (now.total - before.total)));
}

/** The answer, or null when it fails or does not come. */
function orNull<T>(asked: Promise<T>): Promise<T | null> {
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), ANSWER_MS).unref());
  return Promise.race([asked.catch(() => null), late]);
}

// Nobody reads any more.
process.stdout.on('error', () => process.exit(0));
const pollAt = process.argv.indexOf('--poll');
if (pollAt >= 0) void poll(Math.max(200, Number(process.argv[pollAt + 1]) || 1000));
else
  void readFacts().then((facts) => process.stdout.write(`${JSON.stringify(facts)}\n`, () => process.exit(0)));
