import path from 'node:path';
import type { Environment } from '../ports.js';

/** Where model servers and this program keep their models, most telling first; whether they are there is for others to see. */
export function modelFolders(
  env: Environment,
  platform: NodeJS.Platform,
  home: string,
  dataFolder: string | null,
): readonly string[] {
  const at = (...parts: readonly string[]): string => path.join(home, ...parts);
  const set = (name: string, ...more: readonly string[]): readonly string[] => {
    const folder = env[name];
    return folder !== undefined && path.isAbsolute(folder) ? [path.join(folder, ...more)] : [];
  };
  const huggingFace = [
    ...set('HF_HUB_CACHE'),
    ...set('HF_HOME', 'hub'),
    ...set('XDG_CACHE_HOME', 'huggingface', 'hub'),
    at('.cache', 'huggingface', 'hub'),
  ];
  const folders = [
    ...set('OLLAMA_MODELS'),
    at('.ollama', 'models'),
    // The service that Ollama's installer sets up on Linux has a user of its own.
    ...(platform === 'linux' ? ['/usr/share/ollama/.ollama/models', '/var/lib/ollama/models'] : []),
    ...huggingFace,
    ...set('LLAMA_CACHE'),
    at('.cache', 'llama.cpp'),
    at('.lmstudio', 'models'),
    ...(dataFolder === null ? [] : [dataFolder]),
  ];
  return [...new Set(folders)];
}
