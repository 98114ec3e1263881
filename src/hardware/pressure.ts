import type { Pressure } from '../domain/hardware.js';
import type { ProcFiles } from './proc-files.js';

/**
 * One file of Linux PSI: `some avg10=1.23 avg60=… avg300=… total=…`, then `full …`. Shares of the last 10 s; null where the line is missing
 * (`cpu` has no `full` before 5.13) or is no number.
 */
export function parsePressure(text: string): { readonly some: number | null; readonly full: number | null } {
  const avg10 = (kind: string): number | null => {
    const found = new RegExp(`^${kind} avg10=(\\d+(?:\\.\\d+)?) `, 'm').exec(text)?.[1];
    const percent = found === undefined ? NaN : Number(found);
    return percent >= 0 && percent <= 100 ? percent / 100 : null;
  };
  return { some: avg10('some'), full: avg10('full') };
}

/**
 * What waited in the last 10 s; null where the kernel keeps no account (old, or `psi=0`). Where this process has a limit of its own
 * (`limitFolder`) the memory figures are the worse of the two: either can bring a model to a halt.
 */
export function readPressure(files: ProcFiles, limitFolder: string | null): Pressure | null {
  const of = (file: string) => {
    const text = files.read(file);
    return text === null ? null : parsePressure(text);
  };
  const cpu = of('proc/pressure/cpu');
  const memory = of('proc/pressure/memory');
  const io = of('proc/pressure/io');
  const group = limitFolder === null ? null : of(`${limitFolder}/memory.pressure`);
  if (!cpu && !memory && !io && !group) return null;
  return {
    cpuSome: cpu?.some ?? null,
    memorySome: worse(memory?.some, group?.some),
    memoryFull: worse(memory?.full, group?.full),
    ioSome: io?.some ?? null,
  };
}

function worse(a: number | null | undefined, b: number | null | undefined): number | null {
  const told = [a, b].filter((value) => typeof value === 'number');
  return told.length === 0 ? null : Math.max(...told);
}
