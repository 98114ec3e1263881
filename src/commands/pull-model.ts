import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { Backend } from '../backends/backend.js';
import { insteadOfPull, pullGoesOn } from '../domain/pull-names.js';
import { pullTargetOf } from '../domain/pull-target.js';
import { EXIT, LmappError } from '../errors.js';
import type { CommandContext } from './command.js';
import type { AskedServer } from './find-backends.js';
import { listOf, textOf, type Arguments } from './options.js';
import { tellPull } from './tell-pull.js';
import { unanswered } from './find-backends.js';
import { cannot, listAgain, oneName, withModels, type ModelWork } from './with-models.js';
import { toLmappError } from './with-work.js';

/** `lmapp models pull` */
export async function pullModel(context: CommandContext, args: Arguments): Promise<number> {
  const name = oneName(args, 'pull').trim();
  if (isForHere(name, args)) return (await import('./pull-here.js')).pullHere(context, args, name);
  let stopped = '';
  let alone: string | null = null;
  return withModels(
    context,
    args,
    async (work) => {
      const { server, backend } = pullServer(work, name);
      alone = pullGoesOn(backend.info.kind);
      const reports = backend.pull?.(name, work.signal) ?? [];
      const pull = await tellPull(work, name, reports, (at) => {
        stopped = at;
      });
      if (work.signal.aborted) return EXIT.interrupted;
      if (pull === null)
        throw toLmappError({
          code: 'broken',
          message: 'The server ended the pull before it was complete.',
          hint: 'Pull it again: it goes on from where it stopped.',
          status: null,
        });
      await listAgain(work, server);
      pull.say(`${name} is pulled to ${backend.info.title}`);
      return EXIT.ok;
    },
    () =>
      alone === null
        ? `the pull of ${name} was stopped${stopped}. The server keeps what came: pulled again it goes on from there.`
        : `the pull of ${name} is no longer followed${stopped}. ${alone}`,
  );
}

/** Fetched by lmapp itself: no server is named, and it is an address, or a name of the catalogue. */
function isForHere(name: string, args: Arguments): boolean {
  const server = textOf(args, 'server');
  if (server !== null) return server === 'embedded';
  if (listOf(args, 'url').length > 0) return false;
  const target = pullTargetOf(name);
  // LM Studio takes pages of the hub, too; a file of one is meant for here.
  return target !== null && (target.kind !== 'hub' || /^hf:|\.gguf$/i.test(name));
}

/** The one server that can pull. Errors: LmappError when there is none, with code 2 when there are several. */
function pullServer(
  { servers }: ModelWork,
  name: string,
): { readonly server: AskedServer; readonly backend: Backend } {
  // A name that only a server can know is not for this machine, whose own names were taken out before.
  const asked = servers.filter(({ backend }) => backend?.info.kind !== 'embedded');
  const able = asked.flatMap((server) =>
    server.backend?.pull && server.backend.info.features.pull && server.fault === null
      ? [{ server, backend: server.backend }]
      : [],
  );
  const [first] = able;
  if (first && able.length === 1) return first;
  if (able.length > 1) {
    const ids = able.map(({ backend }) => backend.info.id);
    throw new LmappError('usage', `${able.length} servers can pull ${name}`, {
      hint: `Name one: ${ids.map((id) => `--server ${id}`).join(' or ')}`,
      exitCode: EXIT.usage,
    });
  }
  const answered = asked.find(({ fault }) => fault === null);
  if (answered)
    throw cannot(
      `${answered.title} fetches no models by itself`,
      insteadOfPull(answered.backend?.info.kind ?? ''),
    );
  const away = unanswered(asked);
  if (away.length > 0)
    throw new LmappError('no-server', away[0] ?? '', {
      hint: away.slice(1).join('\n') || 'Start it, or name another one with --url.',
    });
  throw new LmappError('no-server', `no server was found that could know ${sanitizeLine(name)}`, {
    hint: 'Start one, for example with "ollama serve", or name one with --url. Without a server: a name of "lmapp models catalogue", hf:ORG/REPO[:QUANT], or an https address of a GGUF.',
  });
}
