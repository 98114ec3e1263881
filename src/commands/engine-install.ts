import { formatBytes } from '../../widgets/text/format.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { builtProgram } from '../built-program.js';
import { installEngine, planOf, removeEngine, type InstallProgress } from '../engine/install.js';
import { GPU_KINDS, type GpuKind } from '../domain/set-up.js';
import { ENGINE_CHILD } from '../engine/open-local.js';
import { EXIT, LmappError } from '../errors.js';
import { agreed } from './agreed.js';
import type { CommandContext } from './command.js';
import { gpuOfferLine } from './gpu-offer-line.js';
import { isOn, textOf, type Arguments } from './options.js';
import { statusLine } from './status-line.js';
import type { Work } from './with-work.js';

/** `lmapp engine install` */
export async function install(context: CommandContext, args: Arguments): Promise<number> {
  const { ports, files, stderr } = context;
  const { tell, say } = outputOf(context, args);
  const gpu = gpuOf(args, planOf(ports.platform, process.arch, null).gpu);
  const plan = planOf(ports.platform, process.arch, gpu);
  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort();
  process.on('SIGINT', onInterrupt);
  const status = statusLine(stderr);
  const started = ports.clock.monotonic();
  const cancelled = (): number => {
    status.clear();
    stderr.write('lmapp: cancelled; nothing was installed\n');
    tell({ type: 'ended', outcome: 'cancelled', fault: null });
    return EXIT.interrupted;
  };
  try {
    const size = `${formatBytes(plan.downloadBytes)} from npm's registry, ${formatBytes(plan.diskBytes)} on the disk`;
    const what = `node-llama-cpp ${plan.version} (${plan.parts.join(', ')})`;
    const offer = gpu === null ? gpuOfferLine(context) : null;
    if (offer !== null) stderr.write(`lmapp: ${offer}\n`);
    const question = `Install ${what}: about ${size}, into ${sanitizeLine(files.engine)}? [y/N] `;
    if (
      !isOn(args, 'yes') &&
      !(await agreed({ context, signal: abort.signal }, question, 'Say --yes to install without a question.'))
    ) {
      if (abort.signal.aborted) return cancelled();
      say('nothing was installed');
      tell({ type: 'ended', outcome: 'kept', fault: null });
      return EXIT.ok;
    }
    let told = '';
    const installed = await installEngine(
      {
        directory: files.engine,
        childPath: builtProgram(ENGINE_CHILD),
        gpu,
        env: ports.env,
        now: ports.clock.now,
        platform: ports.platform,
        onProgress(progress) {
          status.show(lineOf(progress));
          // Somebody who reads a file wants each phase once.
          if (!stderr.isTTY && progress.phase !== told && progress.phase !== 'done')
            stderr.write(`lmapp: ${PHASES[progress.phase]}\n`);
          told = progress.phase;
        },
      },
      abort.signal,
    );
    status.clear();
    say(`the engine is installed: node-llama-cpp ${installed.version}, ${installed.directory}`);
    tell({
      type: 'ended',
      outcome: 'complete',
      version: installed.version,
      parts: installed.parts,
      directory: installed.directory,
      ms: Math.round(ports.clock.monotonic() - started),
      fault: null,
    });
    return EXIT.ok;
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    return cancelled();
  } finally {
    status.clear();
    process.off('SIGINT', onInterrupt);
  }
}

/** `lmapp engine remove` */
export function remove(context: CommandContext, args: Arguments): Promise<number> {
  const { files } = context;
  const { tell, say } = outputOf(context, args);
  // A throw becomes a rejection.
  return Promise.resolve().then(() => {
    const wasInstalled = removeEngine(files.engine);
    say(wasInstalled ? `the engine is removed: ${files.engine}` : 'the engine is not installed');
    tell({ type: 'ended', outcome: 'complete', wasInstalled, directory: files.engine, fault: null });
    return EXIT.ok;
  });
}

/** What stands on standard output: with --json one object, else lines for people. */
function outputOf({ stdout }: CommandContext, args: Arguments): Pick<Work, 'tell' | 'say'> {
  const json = isOn(args, 'json');
  return {
    tell(event) {
      if (json) stdout.write(`${JSON.stringify(event)}\n`);
    },
    say(text) {
      if (!json) stdout.write(`${sanitizeLine(text)}\n`);
    },
  };
}

const PHASES: Readonly<Record<InstallProgress['phase'], string>> = {
  waiting: 'another lmapp is installing the engine; waiting for it',
  downloading: 'fetching packages with npm',
  checking: 'trying the engine',
  done: 'done',
};

function lineOf({ phase, packages, packagesTotal }: InstallProgress): string {
  const count = packages === null || packages === 0 ? '' : `: ${packages} of about ${packagesTotal ?? '?'}`;
  return `${PHASES[phase]}${count}`;
}

/** `hasMetal`: the part for this system has it. */
function gpuOf(args: Arguments, hasMetal: boolean): GpuKind | null {
  const named = textOf(args, 'gpu');
  if (named === null || (named === 'metal' && hasMetal)) return null;
  const kind = GPU_KINDS.find((each) => each === named);
  if (kind) return kind;
  throw new LmappError('usage', `${sanitizeLine(named)} is no kind of GPU that has a part`, {
    hint: `Known are ${GPU_KINDS.join(' and ')}; metal is in the engine for Apple silicon, and only there.`,
    exitCode: EXIT.usage,
  });
}
