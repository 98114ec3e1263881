import { ownerWords } from '../domain/model-file.js';
import { runnableFiles, type SetUpOffer } from '../domain/set-up.js';
import type { Ports } from '../ports.js';
import { offeredGpu } from './gpu-offer.js';
import { installPlan } from './install-plan.js';
import type { EmbeddedSource } from './source.js';

export interface SetUpPorts {
  readonly ports: Ports;
  readonly source: EmbeddedSource;
  /** `$XDG_DATA_HOME/lmapp/engine`. */
  readonly directory: string;
  /** The program that runs the models, with which an engine is tried. */
  readonly childPath: string;
  /** The tool of NVIDIA's driver is installed. */
  readonly nvidia: boolean;
}

/** So many files are told. */
const MOST_FILES = 6;

/** What would have to be fetched. Null: there is no engine for this system. Cheap; files are looked for apart. */
export function setUpOffer({ ports, source, directory, nvidia }: SetUpPorts): SetUpOffer | null {
  const plan = installPlan(ports.platform, process.arch, null);
  const installed = source.version() !== null;
  if (!plan && !installed) return null;
  return {
    engine:
      installed || !plan
        ? null
        : {
            version: plan.version,
            downloadBytes: plan.downloadBytes,
            diskBytes: plan.diskBytes,
            hasGpu: plan.gpu,
            gpu: offeredGpu(nvidia, ports.platform, process.arch),
          },
    folder: directory.replace(/[/\\]engine$/, ''),
    freeBytes: source.freeBytes(),
    files: null,
  };
}

/** The same with the model files of this disk. Throws only when the signal is aborted. */
export async function withFiles(
  offer: SetUpOffer,
  source: EmbeddedSource,
  signal: AbortSignal,
): Promise<SetUpOffer> {
  const files = runnableFiles(await source.files(signal), offer.freeBytes);
  return {
    ...offer,
    files: files
      .slice(0, MOST_FILES)
      .map(({ name, sizeBytes, owner }) => ({ name, sizeBytes, owner: ownerWords(owner) })),
  };
}
