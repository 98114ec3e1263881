import type { MachineId } from './hardware.js';

/** The name of a machine elsewhere for people: its host, without user, port and path. */
export function machineName(machine: MachineId): string {
  const first = machine.trim().split(',')[0] ?? '';
  const place = first
    .replace(/^ssh:(?:\/\/)?/i, '')
    .replace(/^https?:\/\//i, '')
    .replace(/[/?#].*$/, '')
    .replace(/^[^@]*@/, '');
  return place.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^([^:]*):\d+$/, '$1') || machine;
}
