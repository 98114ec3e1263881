import type { FindModelFiles } from '../domain/model-file.js';
import type { Engine } from './engine-contract.js';
import type { ModelPulls } from './model-pulls.js';

/** What the embedded backend stands on. */
export interface EmbeddedSource {
  /** Version of the installed engine; null: there is none that can be used. Read from the disk each time: it may come and go. */
  version(): string | null;
  /** The engine, made at the first call; null: not installed. Its child is started by its first work only. */
  engine(): Promise<Engine | null>;
  /** The engine that has been made already. */
  running(): Engine | null;
  readonly files: FindModelFiles;
  /** What fetches and deletes model files of lmapp's own; it needs no engine. */
  pulls(): Promise<ModelPulls>;
  /** Memory that a model may take now; null: not known. */
  freeBytes(): number | null;
}
