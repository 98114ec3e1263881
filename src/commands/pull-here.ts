import os from 'node:os';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { CATALOGUE } from '../domain/catalogue.js';
import { pullTargetOf } from '../domain/pull-target.js';
import { createModelPulls } from '../engine/model-pulls.js';
import { EXIT, LmappError } from '../errors.js';
import type { CommandContext } from './command.js';
import type { Arguments } from './options.js';
import { tellPull } from './tell-pull.js';
import { withWork } from './with-work.js';

/** `lmapp models pull` of what lmapp fetches itself: no server is asked. */
export function pullHere(context: CommandContext, args: Arguments, name: string): Promise<number> {
  const { clock, env, platform } = context.ports;
  let stopped = '';
  return withWork(
    context,
    args,
    async (work) => {
      const target = pullTargetOf(name);
      if (target === null)
        throw new LmappError('unknown-model', `${sanitizeLine(name)} is not in the catalogue`, {
          hint: `There is ${CATALOGUE.map((entry) => entry.name).join(', ')}; or give hf:ORG/REPO[:QUANT] or an https address of a GGUF.`,
          exitCode: EXIT.usage,
        });
      if (target.kind === 'wrong')
        throw new LmappError('usage', `${sanitizeLine(target.words)} cannot be downloaded from.`, {
          hint: 'Give hf:ORG/REPO[:QUANT], an https address that ends in .gguf, or a name of the catalogue.',
          exitCode: EXIT.usage,
        });
      const pulls = createModelPulls({
        clock,
        env,
        platform,
        home: env['HOME'] || os.homedir(),
        folder: context.files.modelFiles,
        silenceS: work.settings.pullTimeoutS,
      });
      const pull = await tellPull(work, name, pulls.pull(name, work.signal), (at) => {
        stopped = at;
      });
      pull?.say(`${name} is on this machine`);
      return EXIT.ok;
    },
    () => `the pull of ${name} was stopped${stopped}. What came is kept: pulled again it goes on from there.`,
  );
}
