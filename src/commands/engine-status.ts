import { formatBytes } from '../../widgets/text/format.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { installPlan } from '../engine/install-plan.js';
import { folderBytes, readInstalled, type NotInstalled } from '../engine/installed.js';
import { EXIT } from '../errors.js';
import type { CommandContext } from './command.js';
import { gpuOfferLine } from './gpu-offer-line.js';
import { isOn, type Arguments } from './options.js';

const REASONS: Readonly<Record<NotInstalled, readonly [reason: string, next: string]>> = {
  absent: ['the engine is not installed', 'Install it with: lmapp engine install'],
  incomplete: [
    'the installation of the engine is not complete',
    'Install it anew with: lmapp engine install',
  ],
  'other-system': [
    'the engine that is there is for another system',
    'Install it anew with: lmapp engine install',
  ],
  'other-version': [
    'the engine that is there is of another version',
    'Install it anew with: lmapp engine install',
  ],
};

/** `lmapp engine status`. Exit code 1 when there is none that can be used. */
export async function status(
  { files, ports, stdout, stderr }: CommandContext,
  args: Arguments,
): Promise<number> {
  const found = readInstalled(files.engine, ports.platform, process.arch);
  const sizeBytes = await folderBytes(files.engine);
  const plan = installPlan(ports.platform, process.arch, null);
  const engine = typeof found === 'string' ? null : found;
  if (isOn(args, 'json')) {
    const told = {
      usable: engine !== null,
      state: engine ? 'installed' : found,
      version: engine?.version ?? null,
      newVersion: plan?.version ?? null,
      parts: engine?.parts ?? [],
      directory: files.engine,
      sizeBytes: sizeBytes === 0 ? null : sizeBytes,
      installedAt: engine?.installedAt ?? null,
      downloadBytes: plan?.downloadBytes ?? null,
    };
    stdout.write(`${JSON.stringify(told)}\n`);
    return engine ? EXIT.ok : EXIT.failure;
  }
  if (typeof found === 'string') {
    const [reason, next] = REASONS[found];
    const size = plan ? ` (about ${formatBytes(plan.downloadBytes)} from npm's registry)` : '';
    stderr.write(
      `lmapp: ${reason}\n  ${plan ? `${next}${size}` : 'There is no prebuilt engine for this system.'}\n`,
    );
    return EXIT.failure;
  }
  const newer =
    plan && plan.version !== found.version ? ` (lmapp engine install fetches ${plan.version})` : '';
  const offer = found.gpu ? null : gpuOfferLine({ ports });
  stdout.write(
    [
      `version  node-llama-cpp ${found.version}${newer}`,
      `parts    ${sanitizeLine(found.parts.join(', '))}`,
      `folder   ${sanitizeLine(found.directory)}`,
      `size     ${formatBytes(sizeBytes)}`,
      ...(offer === null ? [] : [`gpu      ${offer}`]),
      '',
    ].join('\n'),
  );
  return EXIT.ok;
}
