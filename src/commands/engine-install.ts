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

/** `lmapp engine install` */
export async function install(context: CommandContext, args: Arguments): Promise<number> {
  const { ports, files, stdout, stderr } = context;
  const gpu = gpuOf(args, planOf(ports.platform, process.arch, null).gpu);
  const plan = planOf(ports.platform, process.arch, gpu);
  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort();
  process.on('SIGINT', onInterrupt);
  const status = statusLine(stderr);
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
      if (abort.signal.aborted) return EXIT.interrupted;
      stdout.write('nothing was installed\n');
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
    stdout.write(
      `the engine is installed: node-llama-cpp ${installed.version}, ${sanitizeLine(installed.directory)}\n`,
    );
    return EXIT.ok;
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    status.clear();
    stderr.write('lmapp: cancelled; nothing was installed\n');
    return EXIT.interrupted;
  } finally {
    status.clear();
    process.off('SIGINT', onInterrupt);
  }
}

/** `lmapp engine remove` */
export function remove({ files, stdout }: CommandContext): Promise<number> {
  // A throw becomes a rejection.
  return Promise.resolve().then(() => {
    const was = removeEngine(files.engine);
    stdout.write(
      was ? `the engine is removed: ${sanitizeLine(files.engine)}\n` : 'the engine is not installed\n',
    );
    return EXIT.ok;
  });
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
