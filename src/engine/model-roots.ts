import path from 'node:path';
import type { ModelFileOwner } from '../domain/model-file.js';
import type { Environment } from '../ports.js';

/** A folder in which a program keeps its models. */
export interface ModelRoot {
  readonly owner: ModelFileOwner;
  readonly folder: string;
  /** `ollama`: manifests and blobs. `files`: `*.gguf` in folders of this depth at most. */
  readonly store: 'ollama' | 'files';
  /** 0: only what lies in the folder itself. */
  readonly depth: number;
}

export interface PlacesOfModels {
  readonly env: Environment;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  /** Where lmapp itself keeps models. */
  readonly own: string;
  /** The setting `models.paths`; `~` at the beginning stands for the home. */
  readonly paths: readonly string[];
}

/** Publisher, repository, and a folder for the parts of a large one. */
const STORE_DEPTH = 4;
const CONFIGURED_DEPTH = 6;

/**
 * Where programs keep models, the likeliest owner first: a file that is reached in two ways belongs to the first. As
 * documented by each program; folders that are not there are simply empty.
 */
export function modelRoots({ env, platform, home, own, paths }: PlacesOfModels): readonly ModelRoot[] {
  const join = platform === 'win32' ? path.win32.join : path.posix.join;
  const mac = platform === 'darwin';
  const cache = env['XDG_CACHE_HOME'] || join(home, '.cache');
  const share = env['XDG_DATA_HOME'] || join(home, '.local', 'share');
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config');
  const support = join(home, 'Library', 'Application Support');
  const roaming = env['APPDATA'] || join(home, 'AppData', 'Roaming');
  const local = env['LOCALAPPDATA'] || join(home, 'AppData', 'Local');
  const appFolder = mac ? support : platform === 'win32' ? roaming : config;
  const at = (
    owner: ModelFileOwner,
    folder: string | undefined,
    depth = STORE_DEPTH,
    store: ModelRoot['store'] = 'files',
  ): readonly ModelRoot[] => (folder ? [{ owner, folder, store, depth }] : []);
  const ollama = (folder: string | undefined): readonly ModelRoot[] => at('ollama', folder, 0, 'ollama');

  return [
    ...at('lmapp', own),
    ...ollama(env['OLLAMA_MODELS']),
    ...ollama(join(home, '.ollama', 'models')),
    ...(platform === 'linux'
      ? [...ollama('/usr/share/ollama/.ollama/models'), ...ollama('/var/lib/ollama/.ollama/models')]
      : []),
    ...at('llama.cpp', env['LLAMA_CACHE'], 1),
    ...at('llama.cpp', mac ? join(home, 'Library', 'Caches', 'llama.cpp') : join(cache, 'llama.cpp'), 1),
    ...(platform === 'win32' ? at('llama.cpp', join(local, 'llama.cpp'), 1) : []),
    ...at('lmstudio', join(home, '.lmstudio', 'models')),
    ...at('lmstudio', join(home, '.cache', 'lm-studio', 'models')),
    ...at('gpt4all', join(mac ? support : platform === 'win32' ? local : share, 'nomic.ai', 'GPT4All'), 1),
    ...at('jan', env['JAN_DATA_FOLDER'] && join(env['JAN_DATA_FOLDER'], 'llamacpp', 'models')),
    ...at('jan', join(appFolder, 'Jan', 'data', 'llamacpp', 'models')),
    ...at('jan', join(share, 'Jan', 'data', 'llamacpp', 'models')),
    // Older versions.
    ...at('jan', join(home, 'jan', 'models')),
    ...at('node-llama-cpp', join(home, '.node-llama-cpp', 'models'), 2),
    // Snapshots of revisions hold folders of the repository, too.
    ...at('huggingface', env['HF_HUB_CACHE'], 6),
    ...at('huggingface', env['HUGGINGFACE_HUB_CACHE'], 6),
    ...at('huggingface', env['HF_HOME'] && join(env['HF_HOME'], 'hub'), 6),
    ...at('huggingface', join(cache, 'huggingface', 'hub'), 6),
    ...paths.flatMap((folder) => at('configured', expanded(folder, home, join), CONFIGURED_DEPTH)),
    ...llamafileFolders(platform, home, join).flatMap((folder) => at('llamafile', folder, 0)),
  ];
}

/**
 * A llamafile lies wherever somebody put it: looked for where downloads and programs go, in these folders themselves only. Not in the
 * downloads of macOS, which would ask the user for a permission.
 */
function llamafileFolders(
  platform: NodeJS.Platform,
  home: string,
  join: (...parts: string[]) => string,
): readonly string[] {
  const names = ['llamafile', 'llamafiles', 'models', 'bin', ...(platform === 'darwin' ? [] : ['Downloads'])];
  return [home, ...names.map((name) => join(home, name)), join(home, '.local', 'bin')];
}

function expanded(folder: string, home: string, join: (...parts: string[]) => string): string {
  return folder === '~' || /^~[/\\]/.test(folder) ? join(home, folder.slice(1)) : folder;
}
