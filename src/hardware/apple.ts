import type { Ports } from '../ports.js';
import { parseIoreg, parseMacmon, parseMemoryLimit, type AppleReading } from './apple-rows.js';
import { askProgram } from './ask-program.js';
import { createAskedSource, type Asked } from './asked-source.js';
import { findExecutable } from './executable.js';
import { createLineSource } from './line-source.js';
import { NO_READINGS_OF_CARD } from './no-readings.js';
import type { Probe, ProbeReport } from './probe.js';

export interface AppleProbeOptions {
  readonly ports: Ports;
  /** `ioreg` is not asked more often. */
  readonly leastMs?: number;
}

const IOREG_LEAST_MS = 5000;
const PROGRAM_MS = 10_000;
/** The class of the GPU has had three names. */
const CLASSES: readonly string[] = ['IOGPU', 'IOAccelerator', 'AGXAccelerator'];
/** Where macOS has them though PATH may not, and where Homebrew puts things. */
const FOLDERS: readonly string[] = ['/usr/sbin', '/opt/homebrew/bin', '/usr/local/bin'];

/**
 * The GPU of a Mac without root: share and memory from ioreg, and where macmon is installed share, heat and power from a long-lived
 * `macmon pipe`. Its memory is a part of the machine's.
 */
export function createAppleProbe(options: AppleProbeOptions): Probe {
  const { ports } = options;
  let report: (report: ProbeReport) => void = () => undefined;
  let fromIoreg: AppleReading = {};
  let fromMacmon: AppleReading | null = null;
  let limitBytes: number | null | undefined;
  let kind = CLASSES[0] ?? '';
  const place = (name: string): string | null => findExecutable(name, ports.env, ports.platform, FOLDERS);

  const ioreg = createAskedSource({
    clock: ports.clock,
    tell: (state) => report({ type: 'state', state }),
    leastMs: options.leastMs ?? IOREG_LEAST_MS,
    timeoutMs: PROGRAM_MS * CLASSES.length,
    async ask(): Promise<Asked> {
      const file = place('ioreg');
      if (file === null) return 'absent';
      limitBytes ??= await memoryLimit();
      for (const asked of [kind, ...CLASSES.filter((other) => other !== kind)]) {
        const printed = await askProgram(ports, file, ['-r', '-c', asked, '-d', '1', '-f'], PROGRAM_MS);
        const reading = parseIoreg(printed.text);
        if (!reading) continue;
        kind = asked;
        fromIoreg = reading;
        // With macmon every line of it is a report.
        if (fromMacmon === null) tell();
        return 'told';
      }
      return 'absent';
    },
  });

  const macmon = createLineSource({
    ports,
    name: 'macmon',
    timing: { firstAnswerMs: 20_000, staleMs: 5000, silenceMs: 20_000 },
    tell: (state) => {
      // Without it ioreg alone tells, which is no fault.
      if (state.state !== 'live') fromMacmon = null;
    },
    command() {
      const file = place('macmon');
      return file === null ? 'absent' : { file, args: ['pipe', '-i', String(Math.max(1000, intervalMs))] };
    },
    onLine(line) {
      const reading = parseMacmon(line);
      if (!reading) return 'noise';
      fromMacmon = reading;
      tell();
      return 'answer';
    },
    onEnd: () => ({ state: 'failed', reason: 'macmon ended' }),
  });
  let intervalMs = 1000;

  async function memoryLimit(): Promise<number | null> {
    const file = place('sysctl');
    if (file === null) return null;
    const printed = await askProgram(ports, file, ['hw.memsize', 'iogpu.wired_limit_mb'], PROGRAM_MS);
    return parseMemoryLimit(printed.text);
  }

  function tell(): void {
    const told = { ...fromIoreg, ...withoutNulls(fromMacmon ?? {}) };
    const gpu = { ...NO_READINGS_OF_CARD, id: 'apple', index: 0, name: 'Apple GPU', ...told, shared: true };
    report({
      type: 'gpus',
      gpus: [{ ...gpu, memoryTotalBytes: limitBytes ?? gpu.memoryTotalBytes }],
    });
  }

  return {
    id: 'apple',
    start(ms, to) {
      report = to;
      intervalMs = ms;
      ioreg.start(ms);
      macmon.start(ms);
    },
    stop() {
      ioreg.stop();
      macmon.stop();
      fromMacmon = null;
    },
  };
}

/** What one source does not know must not hide what the other knows. */
function withoutNulls(reading: AppleReading): AppleReading {
  return Object.fromEntries(Object.entries(reading).filter(([, value]) => value !== null));
}
