import fs from 'node:fs';
import path from 'node:path';
import type { Battery } from '../domain/hardware.js';

/** The files of one supply under /sys/class/power_supply; those that are there. */
export type SupplyFiles = Readonly<Record<string, string>>;

const FILES = [
  'type',
  'scope',
  'status',
  'online',
  'capacity',
  'energy_now',
  'energy_full',
  'charge_now',
  'charge_full',
  'power_now',
  'current_now',
  'voltage_now',
];
const MOST_SUPPLIES = 16;
const MICRO = 1e-6;

/** All supplies under `root`, read without blocking: the embedded controller behind them may take its time. */
export async function readBattery(root: string): Promise<Battery | null> {
  const base = path.join(root, 'sys/class/power_supply');
  const names = await fs.promises.readdir(base).catch(() => []);
  const supplies: SupplyFiles[] = [];
  for (const name of names.slice(0, MOST_SUPPLIES)) {
    const files: Record<string, string> = {};
    for (const file of FILES) {
      const text = await fs.promises.readFile(path.join(base, name, file), 'utf8').catch(() => null);
      if (text !== null) files[file] = text.trim();
    }
    supplies.push(files);
  }
  return batteryOf(supplies);
}

/**
 * The batteries of this machine as one; null when it has none. They are known by their `type`, for their names differ (`BAT0`, `CMB1`,
 * `macsmc-battery`), and one of scope `Device` is in a mouse or a headset.
 */
export function batteryOf(supplies: readonly SupplyFiles[]): Battery | null {
  const batteries = supplies.filter((s) => s['type'] === 'Battery' && s['scope'] !== 'Device');
  if (batteries.length === 0) return null;
  const statuses = batteries.map((s) => s['status']?.toLowerCase() ?? '');
  const mains = supplies
    .filter((s) => s['type'] === 'Mains' || s['type'] === 'USB')
    .map((s) => s['online'])
    .filter((online) => online === '0' || online === '1');
  return {
    charge: chargeOf(batteries),
    charging: chargingOf(statuses),
    powerW: sumOf(batteries.map(powerOf)),
    mains: mains.length === 0 ? null : mains.includes('1'),
  };
}

function chargingOf(statuses: readonly string[]): boolean | null {
  if (statuses.includes('charging')) return true;
  return statuses.some((s) => s === 'discharging' || s === 'full' || s === 'not charging') ? false : null;
}

/** By what they hold where all tell it, as a small one that is empty says little; one alone by its own word. */
function chargeOf(batteries: readonly SupplyFiles[]): number | null {
  for (const quantity of ['energy', 'charge']) {
    const now = sumOf(batteries.map((s) => numberOf(s[`${quantity}_now`])));
    const full = sumOf(batteries.map((s) => numberOf(s[`${quantity}_full`])));
    if (batteries.length > 1 && now !== null && full !== null && full > 0) return Math.min(1, now / full);
  }
  const [only] = batteries;
  if (batteries.length !== 1 || !only) return null;
  const capacity = numberOf(only['capacity']);
  return capacity === null || capacity > 100 ? null : capacity / 100;
}

/** Microwatts, or microamperes times microvolts. Some drivers tell a discharge as a negative number. */
function powerOf(supply: SupplyFiles): number | null {
  const power = signedOf(supply['power_now']);
  if (power !== null) return Math.abs(power) * MICRO;
  const current = signedOf(supply['current_now']);
  const voltage = numberOf(supply['voltage_now']);
  return current === null || voltage === null ? null : Math.abs(current) * MICRO * voltage * MICRO;
}

function sumOf(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((sum, v) => (sum === null || v === null ? null : sum + v), 0);
}

function signedOf(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}

function numberOf(text: string | undefined): number | null {
  const value = signedOf(text);
  return value !== null && value >= 0 ? value : null;
}
