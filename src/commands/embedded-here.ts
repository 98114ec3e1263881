import { downloadFigures } from '../../widgets/text/download.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { builtProgram } from '../built-program.js';
import { metered, NEW_METER, pullFigures } from '../domain/pull-meter.js';
import {
  asOnePull,
  runnableFiles,
  stepOf,
  wishWithoutQuestion,
  type ModelMeant,
  type SetUpProgress,
  type SetUpWish,
} from '../domain/set-up.js';
import { ENGINE_CHILD } from '../engine/open-local.js';
import { noPrebuiltEngine } from '../engine/install.js';
import { hubAnswers, setUp } from '../engine/set-up.js';
import { setUpOffer, type SetUpPorts } from '../engine/set-up-offer.js';
import type { EmbeddedSource } from '../engine/source.js';
import { EXIT, LmappError } from '../errors.js';
import { findNvidiaSmi } from '../hardware/nvidia-smi.js';
import type { CommandContext } from './command.js';
import { askEmbedded, type AskedServer } from './find-backends.js';
import type { StatusLine } from './status-line.js';
import { toLmappError } from './with-work.js';

export interface EmbeddedHereOptions {
  readonly context: CommandContext;
  readonly source: EmbeddedSource;
  readonly meant: ModelMeant;
  readonly status: StatusLine;
  readonly signal: AbortSignal;
}

export interface EmbeddedHere {
  readonly server: AskedServer;
  /** Of the model that is to answer. */
  readonly model: string;
}

/**
 * The engine of this machine with a model, for `--embedded`: what is missing is fetched without a question, and told on stderr. Null: it
 * was cancelled. Errors: LmappError.
 */
export async function embeddedHere(options: EmbeddedHereOptions): Promise<EmbeddedHere | null> {
  const { context, source, meant, status, signal } = options;
  const { ports, files } = context;
  const setUpPorts: SetUpPorts = {
    ports,
    source,
    directory: files.engine,
    childPath: builtProgram(ENGINE_CHILD),
    nvidia: findNvidiaSmi(ports) !== null,
  };
  const offer = setUpOffer(setUpPorts);
  if (!offer) throw noPrebuiltEngine(ports.platform, process.arch);
  status.show('looking for model files');
  const found = await source.files(signal).catch(() => []);
  if (signal.aborted) return null;
  const wish = await wishWithoutQuestion(found, meant, offer.freeBytes, () => hubAnswers(setUpPorts, signal));
  if (!wish)
    throw new LmappError(
      'unknown-model',
      `no model file of this machine is called ${sanitizeLine(meant.named)}`,
      {
        hint: `"lmapp models catalogue" lists what can be fetched; or give hf:ORG/REPO[:QUANT].${
          found.length > 0
            ? ` Here is ${found
                .slice(0, 5)
                .map((each) => sanitizeLine(each.name))
                .join(', ')}.`
            : ''
        }`,
        exitCode: EXIT.usage,
      },
    );
  if (meant.named === '' && wish.kind === 'file' && runnableFiles(found, null).length > 1) {
    status.clear();
    const { stderr } = context;
    stderr.write(`lmapp: ${sanitizeLine(wish.name)} answers; --model takes another one\n`);
  }
  const model = await fetched(options, setUpPorts, wish);
  if (model === null) return null;
  return { server: await askEmbedded(source, ports.clock, signal), model };
}

/** The name of the model, when all is here. Null: cancelled. */
async function fetched(
  { context, status, signal }: EmbeddedHereOptions,
  setUpPorts: SetUpPorts,
  wish: SetUpWish,
): Promise<string | null> {
  const { stderr, ports } = context;
  let meter = NEW_METER;
  let told = '';
  /** Who reads a file wants each step once. */
  const say = (words: string): void => {
    if (words === told || words === '') return;
    told = words;
    if (!stderr.isTTY) stderr.write(`lmapp: ${words}\n`);
  };
  const onProgress = (progress: SetUpProgress): void => {
    const { progress: whole, estimated } = asOnePull(progress);
    const now = ports.clock.monotonic();
    meter = metered(meter, whole, now);
    say(stepOf(progress, wish));
    const figures = downloadFigures(pullFigures(meter, now)).join('  ');
    status.show(`${figures === '' ? '' : `${estimated ? '≈ ' : ''}${figures}  `}${whole.status}`);
  };
  const end = await setUp(setUpPorts, wish, onProgress, signal);
  status.clear();
  if (end.outcome === 'failed') throw toLmappError(end.fault);
  if (end.outcome === 'done') return end.name;
  stderr.write('lmapp: cancelled; what came is kept, and the next try goes on from there\n');
  return null;
}
