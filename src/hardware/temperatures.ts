import fs from 'node:fs';
import path from 'node:path';
import type { Temperature } from '../domain/hardware.js';

/** A file that tells a temperature, and what it is of. */
export interface Sensor {
  readonly file: string;
  readonly label: string;
}

/** Chips of processors: these come first and have no need of the others. */
const CPU_CHIPS = /^(?:coretemp|k10temp|k8temp|zenpower|cpu_thermal|via_cputemp|scpi_sensors)$/;
/** Cards are the business of their own probes; reading them here would wake one that sleeps. Disks behind drivetemp would not spin down. */
const NOT_ASKED = /^(?:amdgpu|radeon|nouveau|nvidia|i915|xe|drivetemp|BAT\d*|hidpp_battery.*)$/i;
/** Inputs of mainboard chips that are mostly connected to nothing. */
const LOOSE_ENDS = /^(?:AUXTIN|TSI|PECI|PCH_|SMBUSMASTER|VIRTUAL)/i;
const MOST_SENSORS = 16;
/** What lies outside is an input without a sensor (−128, 127.5 and the like are told then), or nonsense. */
const COLDEST_C = -40;
const HOTTEST_C = 125;

/** Finds the sensors under `root`/sys once; only names are read, no firmware is asked. The processor comes first. */
export function findSensors(root: string): readonly Sensor[] {
  const found = hwmonSensors(path.join(root, 'sys/class/hwmon'));
  const cpu = found.filter(({ cpu }) => cpu);
  const sensors = [...cpu, ...found.filter(({ cpu }) => !cpu)];
  const zones = cpu.length > 0 ? [] : thermalZones(path.join(root, 'sys/class/thermal'), sensors.length > 0);
  return [...zones, ...sensors].slice(0, MOST_SENSORS).map(({ file, label }) => ({ file, label }));
}

/** Thousandths of a degree, as a whole number; null for anything else and for what no sensor can mean. */
export function parseMillidegrees(text: string): number | null {
  const trimmed = text.trim();
  if (!/^-?\d{1,7}$/.test(trimmed)) return null;
  const celsius = Number(trimmed) / 1000;
  return celsius >= COLDEST_C && celsius < HOTTEST_C ? celsius : null;
}

/** Sensors whose files are held open: asking again costs one call each, a fifth of opening and closing them. */
export interface Thermometer {
  /**
   * Asks all, one after another and without blocking: behind these files is firmware, which may take its time. One that cannot be read is left
   * out, never told as 0; unlike ones are never averaged.
   */
  read(): Promise<readonly Temperature[]>;
  close(): void;
}

export function openThermometer(sensors: readonly Sensor[]): Thermometer {
  const open: { readonly label: string; readonly fd: number }[] = [];
  for (const { file, label } of sensors) {
    try {
      open.push({ label, fd: fs.openSync(file, 'r') });
    } catch {
      // It went since it was found.
    }
  }
  const buffer = Buffer.alloc(32);
  let reading = false;
  let closed = false;

  function shut(): void {
    for (const { fd } of open.splice(0)) fs.closeSync(fd);
  }

  return {
    async read() {
      reading = true;
      const told: Temperature[] = [];
      for (const { fd, label } of [...open]) {
        const length = closed ? 0 : await readAt0(fd, buffer);
        const celsius = parseMillidegrees(buffer.toString('latin1', 0, length));
        if (celsius !== null) told.push({ label, celsius });
      }
      reading = false;
      if (closed) shut();
      return told;
    },
    // A file that is being read is closed when that is over: its number must not belong to another one meanwhile.
    close() {
      closed = true;
      if (!reading) shut();
    },
  };
}

/** Bytes read; 0 for one that cannot be read now (`ENODATA`, `EIO`, a card that went). */
function readAt0(fd: number, buffer: Buffer): Promise<number> {
  return new Promise((resolve) =>
    fs.read(fd, buffer, 0, buffer.length, 0, (error, length) => resolve(error ? 0 : length)),
  );
}

interface Found extends Sensor {
  readonly cpu: boolean;
}

function hwmonSensors(base: string): readonly Found[] {
  const sensors: Found[] = [];
  for (const entry of namesIn(base)) {
    const folder = path.join(base, entry);
    const chip = wordIn(path.join(folder, 'name'));
    if (chip === '' || NOT_ASKED.test(chip)) continue;
    const cpu = CPU_CHIPS.test(chip);
    const inputs = namesIn(folder).filter((name) => /^temp\d+_input$/.test(name));
    for (const input of inputs.sort((a, b) => numberIn(a) - numberIn(b))) {
      const own = wordIn(path.join(folder, input.replace('_input', '_label')));
      if (LOOSE_ENDS.test(own) || (cpu && /^Core \d+$/.test(own))) continue;
      const label = labelOf(chip, own, cpu, inputs.length > 1 ? numberIn(input) : null);
      sensors.push({ file: path.join(folder, input), label, cpu });
    }
  }
  return numbered(sensors);
}

function labelOf(chip: string, own: string, cpu: boolean, number: number | null): string {
  if (cpu) {
    if (/^Package id \d+$/.test(own)) return 'CPU package';
    return own === '' ? 'CPU' : `CPU ${own}`;
  }
  const rest = own === '' ? (number === null ? '' : String(number)) : own;
  return `${chip} ${rest}`.trim();
}

/** Two of the same name (sockets, disks) are told apart by a number. */
function numbered(sensors: readonly Found[]): readonly Found[] {
  const counts = new Map<string, number>();
  for (const { label } of sensors) counts.set(label, (counts.get(label) ?? 0) + 1);
  const seen = new Map<string, number>();
  return sensors.map((sensor) => {
    if ((counts.get(sensor.label) ?? 0) < 2) return sensor;
    const number = (seen.get(sensor.label) ?? 0) + 1;
    seen.set(sensor.label, number);
    return { ...sensor, label: `${sensor.label} ${number}` };
  });
}

/** Where no chip tells the processor: its zone; every zone where there is nothing else at all. */
function thermalZones(base: string, onlyCpu: boolean): readonly Found[] {
  const zones: Found[] = [];
  for (const entry of namesIn(base)) {
    if (!/^thermal_zone\d+$/.test(entry)) continue;
    const type = wordIn(path.join(base, entry, 'type'));
    const cpu = /^x86_pkg_temp$|cpu|soc|package/i.test(type);
    if (type === '' || /gpu/i.test(type) || (onlyCpu && !cpu)) continue;
    const label = type === 'x86_pkg_temp' ? 'CPU package' : type.replace(/[-_]thermal$/, '');
    zones.push({ file: path.join(base, entry, 'temp'), label, cpu });
  }
  return numbered(zones.sort((a, b) => Number(b.cpu) - Number(a.cpu)));
}

function namesIn(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder).sort((a, b) => numberIn(a) - numberIn(b) || (a < b ? -1 : 1));
  } catch {
    return [];
  }
}

function wordIn(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim().slice(0, 40);
  } catch {
    return '';
  }
}

function numberIn(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}
