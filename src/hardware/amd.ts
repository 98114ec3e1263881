import fs from 'node:fs/promises';
import path from 'node:path';
import type { GpuSample } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import { AMD_FILES, AMD_HWMON_FILES, amdCard, nameInIds } from './amd-card.js';
import { AMD_SMI_ARGS, parseAmdSmi, parseRocmSmi, ROCM_SMI_ARGS } from './amd-programs.js';
import { askProgram } from './ask-program.js';
import { createAskedSource, type Asked } from './asked-source.js';
import { findCards, isAsleep, readCard } from './drm-cards.js';
import { findExecutable } from './executable.js';
import { asleepCard } from './no-readings.js';
import type { Probe, ProbeReport } from './probe.js';

export interface AmdProbeOptions {
  readonly ports: Ports;
  /** Folder that holds sys/ and usr/; a test gives a tree of its own. */
  readonly root?: string;
  readonly timing?: Partial<AmdTiming>;
}

export interface AmdTiming {
  /** The firmware of a card may take its time. */
  readonly leastMs: number;
  readonly timeoutMs: number;
  /** The programs are written in Python and start for a second or more. */
  readonly programsMs: number;
  readonly programTimeoutMs: number;
}

const TIMING: AmdTiming = { leastMs: 1000, timeoutMs: 5000, programsMs: 10_000, programTimeoutMs: 20_000 };
const AMD = '0x1002';
const IDS = 'usr/share/libdrm/amdgpu.ids';

/** AMD cards of Linux from /sys; where the driver shows nothing there, from amd-smi or rocm-smi, seldom. */
export function createAmdProbe(options: AmdProbeOptions): Probe {
  const { ports, root = '/' } = options;
  const timing = { ...TIMING, ...options.timing };
  let report: (report: ProbeReport) => void = () => undefined;
  /** When a program may be asked again; null: it was never needed. */
  let programAt: number | null = null;
  let lastOfProgram: readonly GpuSample[] = [];
  let ids: string | null = null;
  const source = createAskedSource({
    clock: ports.clock,
    tell: (state) => report({ type: 'state', state }),
    leastMs: timing.leastMs,
    timeoutMs: timing.timeoutMs + timing.programTimeoutMs,
    ask,
  });

  async function ask(): Promise<Asked> {
    const cards = await findCards(root, AMD);
    if (cards.length === 0) return 'absent';
    ids ??= await fs.readFile(path.join(root, IDS), 'utf8').catch(() => '');
    const names = ids;
    const gpus: GpuSample[] = [];
    for (const [index, card] of cards.entries()) {
      // Reading anything else would wake it.
      if (await isAsleep(card)) gpus.push(asleepCard(`amd-${card.place}`, index, 'AMD GPU'));
      else
        gpus.push(
          amdCard(await readCard(card, AMD_FILES, AMD_HWMON_FILES), card.place, index, (device, revision) =>
            nameInIds(names, device, revision),
          ),
        );
    }
    if (!gpus.every(tellsNothing)) {
      report({ type: 'gpus', gpus });
      return 'told';
    }
    return askPrograms();
  }

  async function askPrograms(): Promise<Asked> {
    const now = ports.clock.monotonic();
    if (programAt !== null && now < programAt) {
      if (lastOfProgram.length > 0) return 'told';
    }
    const found = [
      { name: 'amd-smi', args: AMD_SMI_ARGS, parse: parseAmdSmi },
      { name: 'rocm-smi', args: ROCM_SMI_ARGS, parse: parseRocmSmi },
    ].flatMap((program) => {
      const file = findExecutable(program.name, ports.env, ports.platform, ['/opt/rocm/bin']);
      return file === null ? [] : [{ ...program, file }];
    });
    if (found.length === 0)
      return { reason: 'the driver tells nothing', hint: 'install amd-smi, or a newer Linux kernel' };
    for (const { file, args, parse } of found) {
      const printed = await askProgram(ports, file, args, timing.programTimeoutMs);
      const gpus = printed.end.exitCode === 0 ? parse(printed.text) : null;
      if (!gpus || gpus.length === 0) continue;
      programAt = ports.clock.monotonic() + timing.programsMs;
      lastOfProgram = gpus;
      report({ type: 'gpus', gpus });
      return 'told';
    }
    lastOfProgram = [];
    return { reason: `${found.map(({ name }) => name).join(' and ')} cannot be read` };
  }

  return {
    id: 'amd',
    start(intervalMs, to) {
      report = to;
      source.start(intervalMs);
    },
    stop: () => source.stop(),
  };
}

function tellsNothing(gpu: GpuSample): boolean {
  return (
    gpu.utilization === null && gpu.memoryTotalBytes === null && gpu.powerW === null && gpu.note === undefined
  );
}
