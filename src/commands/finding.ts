import type { LoadedSettings } from '../config/load.js';
import type { CommandContext } from './command.js';
import type { Arguments } from './options.js';

/** One line of the report. `bad`: something does not work; `warn`: something works worse than it could. */
export interface Finding {
  readonly state: 'ok' | 'warn' | 'bad';
  readonly text: string;
  /** Null when all is well. */
  readonly nextStep: string | null;
}

export interface DoctorContext {
  readonly context: CommandContext;
  readonly args: Arguments;
  readonly loaded: LoadedSettings;
}

export interface DoctorCheck {
  readonly name: string;
  run(doctor: DoctorContext): Promise<readonly Finding[]> | readonly Finding[];
}

export const ok = (text: string): Finding => ({ state: 'ok', text, nextStep: null });
export const warn = (text: string, nextStep: string): Finding => ({ state: 'warn', text, nextStep });
export const bad = (text: string, nextStep: string): Finding => ({ state: 'bad', text, nextStep });
