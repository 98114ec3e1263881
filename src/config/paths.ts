import os from 'node:os';
import path from 'node:path';
import type { Environment } from '../ports.js';

/** Where lmapp keeps its files. All are directories of its own. */
export interface Directories {
  readonly config: string;
  /** What the user would miss: chats, message history. */
  readonly data: string;
  /** What is nice to keep: the log, the model used last. */
  readonly state: string;
  /** What can be had again: the list of models. */
  readonly cache: string;
}

type Kind = keyof Directories;

const XDG: Readonly<Record<Kind, { readonly variable: string; readonly inHome: readonly string[] }>> = {
  config: { variable: 'XDG_CONFIG_HOME', inHome: ['.config'] },
  data: { variable: 'XDG_DATA_HOME', inHome: ['.local', 'share'] },
  state: { variable: 'XDG_STATE_HOME', inHome: ['.local', 'state'] },
  cache: { variable: 'XDG_CACHE_HOME', inHome: ['.cache'] },
};

/**
 * The directories by the XDG base directory specification, which says that an empty or relative value counts as not set. macOS
 * follows it too, as most command line programs there do; Windows uses its own application folders when no XDG variable is set.
 */
export function directoriesOf(
  env: Environment,
  platform: NodeJS.Platform = process.platform,
  home: string = homeOf(env),
): Directories {
  const paths = platform === 'win32' ? path.win32 : path.posix;
  const directory = (kind: Kind): string => {
    const { variable, inHome } = XDG[kind];
    const set = env[variable];
    if (set && paths.isAbsolute(set)) return paths.join(set, 'lmapp');
    if (platform === 'win32') return windowsDirectory(kind, env, home);
    return paths.join(home, ...inHome, 'lmapp');
  };
  return {
    config: directory('config'),
    data: directory('data'),
    state: directory('state'),
    cache: directory('cache'),
  };
}

/** The files in those directories that more than one part of the program uses. */
export function filesOf(directories: Directories) {
  const join = path.join;
  return {
    config: join(directories.config, 'config.json'),
    chats: join(directories.data, 'chats'),
    history: join(directories.data, 'history.ndjson'),
    log: join(directories.state, 'lmapp.log'),
    remembered: join(directories.state, 'state.json'),
    loads: join(directories.state, 'loads.json'),
    models: join(directories.cache, 'models.json'),
    /** The embedded engine, with a lock and folders of its installation beside it. */
    engine: join(directories.data, 'engine'),
    /** Model files that lmapp fetched. */
    modelFiles: join(directories.data, 'models'),
    /** Headers of model files, all over the disk. */
    modelHeaders: join(directories.cache, 'model-files.json'),
    facts: join(directories.cache, 'machine.json'),
    /** Output of servers that were started from here. */
    serverLogs: join(directories.state, 'servers'),
  } as const;
}

export type Files = ReturnType<typeof filesOf>;

function homeOf(env: Environment): string {
  const home = env['HOME'] ?? '';
  // A folder that depends on where lmapp is started would lose its chats with the next `cd`.
  if (path.isAbsolute(home)) return home;
  // Throws where the user has no entry in the password file (containers).
  try {
    return home === '' && process.platform === 'win32' ? os.homedir() : os.userInfo().homedir;
  } catch {
    return os.tmpdir();
  }
}

function windowsDirectory(kind: Kind, env: Environment, home: string): string {
  const roaming = env['APPDATA'] || path.win32.join(home, 'AppData', 'Roaming');
  const local = env['LOCALAPPDATA'] || path.win32.join(home, 'AppData', 'Local');
  return kind === 'config' ? path.win32.join(roaming, 'lmapp') : path.win32.join(local, 'lmapp', kind);
}
