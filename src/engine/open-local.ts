import os from 'node:os';
import { builtProgram } from '../built-program.js';
import type { LocalModelFile } from '../domain/model-file.js';
import type { Ports } from '../ports.js';
import type { ModelFiles } from './model-files.js';
import type { ModelPulls } from './model-pulls.js';
import { openEmbeddedSource } from './open-source.js';
import type { EmbeddedSource } from './source.js';

export interface LocalSourceOptions {
  readonly ports: Ports;
  /** As src/config/paths.ts has them. */
  readonly files: { readonly engine: string; readonly modelFiles: string; readonly modelHeaders: string };
  /** The setting `models.paths`. */
  readonly paths: readonly string[];
  /** The setting `pullTimeoutS`; 0: the usual. */
  readonly silenceS: number;
  readonly onLog?: (level: 'warn' | 'error', text: string) => void;
}

/** The program that runs the models, in a file of its own beside dist/main.js. */
export const ENGINE_CHILD = 'engine-child.mjs';

/** The embedded engine with the model files of this disk. Nothing is looked for, and hardly any code loaded, until it is asked. */
export function openLocalSource({
  ports,
  files,
  paths,
  silenceS,
  onLog,
}: LocalSourceOptions): EmbeddedSource {
  const { clock, env, platform } = ports;
  const home = env['HOME'] || os.homedir();
  let modelFiles: Promise<ModelFiles> | null = null;
  let modelPulls: Promise<ModelPulls> | null = null;

  async function makeModelFiles(): Promise<ModelFiles> {
    const { createModelFiles } = await import('./model-files.js');
    return createModelFiles({
      clock,
      env,
      platform,
      home,
      own: files.modelFiles,
      paths,
      cacheFile: files.modelHeaders,
    });
  }

  async function find(signal: AbortSignal): Promise<readonly LocalModelFile[]> {
    modelFiles ??= makeModelFiles();
    return (await modelFiles).find(signal);
  }

  async function makePulls(): Promise<ModelPulls> {
    const { createModelPulls } = await import('./model-pulls.js');
    const found = await (modelFiles ??= makeModelFiles());
    return createModelPulls({
      clock,
      env,
      platform,
      home,
      folder: files.modelFiles,
      silenceS,
      onChange: () => found.changed(),
    });
  }

  return openEmbeddedSource({
    directory: files.engine,
    childPath: builtProgram(ENGINE_CHILD),
    env,
    clock,
    files: find,
    // One for all, so that no more than two files come at a time.
    pulls: () => (modelPulls ??= makePulls()),
    onLog: onLog ?? (() => undefined),
  });
}
