import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A home folder of its own, so that a run neither sees nor changes what the user has. */
export interface Home {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Where the program keeps chats. */
  readonly chats: string;
  /** Writes the configuration file. */
  configure(settings: Readonly<Record<string, unknown>>): void;
  remove(): void;
}

export function makeHome(): Home {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-home-'));
  const config = path.join(folder, 'config', 'lmapp');
  return {
    folder,
    chats: path.join(folder, 'data', 'lmapp', 'chats'),
    env: {
      HOME: folder,
      XDG_CONFIG_HOME: path.join(folder, 'config'),
      XDG_CACHE_HOME: path.join(folder, 'cache'),
      XDG_DATA_HOME: path.join(folder, 'data'),
      XDG_STATE_HOME: path.join(folder, 'state'),
    },
    configure(settings) {
      fs.mkdirSync(config, { recursive: true });
      fs.writeFileSync(path.join(config, 'config.json'), JSON.stringify(settings), { mode: 0o600 });
    },
    // The program may still be writing its last line while it is removed.
    remove: () => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}
