import { backends } from './backends.js';
import { chat } from './chat.js';
import type { Command } from './command.js';
import { completion } from './completion.js';
import { config } from './config.js';
import { doctor } from './doctor.js';
import { engine } from './engine.js';
import { logs } from './logs.js';
import { models } from './models.js';
import { status } from './status.js';
import { tui } from './tui.js';

/** Every command, in the order of the help. A new one is a file in this folder and a line here. */
export const COMMANDS: readonly Command[] = [
  tui,
  chat,
  models,
  backends,
  engine,
  config,
  status,
  logs,
  doctor,
  completion,
];
