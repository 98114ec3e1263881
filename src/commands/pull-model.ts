import { formatBytes, formatCountdown, formatDuration, formatUsage } from '../../widgets/text/format.js';
import type { Backend } from '../backends/backend.js';
import { metered, NEW_METER, pullFigures, type PullFigures, type PullMeter } from '../domain/pull-meter.js';
import { insteadOfPull } from '../domain/pull-names.js';
import { EXIT, LmappError } from '../errors.js';
import type { CommandContext } from './command.js';
import type { AskedServer } from './find-backends.js';
import type { Arguments } from './options.js';
import {
  cannot,
  listAgain,
  oneName,
  toLmappError,
  unanswered,
  withModels,
  type ModelWork,
} from './with-models.js';

const BAR_CELLS = 20;
/** Reports come every 60 ms and layer. */
const TOLD_EVERY_MS = 250;

/** `lmapp models pull` */
export function pullModel(context: CommandContext, args: Arguments): Promise<number> {
  const name = oneName(args, 'pull').trim();
  let stopped = '';
  return withModels(
    context,
    args,
    async (work) => {
      const { server, backend } = pullServer(work, name);
      const started = context.ports.clock.monotonic();
      let meter = NEW_METER;
      let told = -Infinity;
      for await (const progress of backend.pull?.(name, work.signal) ?? []) {
        const now = context.ports.clock.monotonic();
        const fresh = meter.progress?.phase !== progress.phase;
        meter = metered(meter, progress, now);
        const figures = pullFigures(meter, now);
        stopped = figures.fraction === null ? '' : ` at ${Math.round(figures.fraction * 100)} %`;
        if (!fresh && now - told < TOLD_EVERY_MS) continue;
        told = now;
        work.tell(progressEvent(meter, figures));
        work.status.show(progressLine(name, meter, figures));
      }
      if (work.signal.aborted) return EXIT.interrupted;
      if (meter.progress?.phase !== 'done')
        throw toLmappError({
          code: 'broken',
          message: 'The server ended the pull before it was complete.',
          hint: 'Pull it again: it goes on from where it stopped.',
          status: null,
        });
      await listAgain(work, server);
      const { totalBytes } = pullFigures(meter, context.ports.clock.monotonic());
      const ms = context.ports.clock.monotonic() - started;
      work.tell({ type: 'ended', outcome: 'complete', name, totalBytes, ms: Math.round(ms), fault: null });
      const size = totalBytes === null ? '' : `: ${formatBytes(totalBytes)}`;
      work.say(`${name} is pulled to ${backend.info.title}${size} in ${formatDuration(ms)}`);
      return EXIT.ok;
    },
    () =>
      `the pull of ${name} was stopped${stopped}. The server keeps what came: pulled again it goes on from there.`,
  );
}

/** The one server that can pull. Errors: LmappError when there is none, with code 2 when there are several. */
function pullServer(
  { servers }: ModelWork,
  name: string,
): { readonly server: AskedServer; readonly backend: Backend } {
  const able = servers.flatMap((server) =>
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
  const answered = servers.find(({ fault }) => fault === null);
  if (answered)
    throw cannot(
      `${answered.title} fetches no models by itself`,
      insteadOfPull(answered.backend?.info.kind ?? ''),
    );
  const away = unanswered(servers);
  throw new LmappError('no-server', away[0] ?? 'no server was found', {
    hint: away.slice(1).join('\n') || 'Start one, for example with "ollama serve", or name one with --url.',
  });
}

function progressEvent(
  { progress }: PullMeter,
  { fraction, completedBytes, totalBytes, bytesPerSecond, leftMs }: PullFigures,
): Readonly<Record<string, unknown>> {
  return {
    type: 'progress',
    phase: progress?.phase ?? null,
    status: progress?.status ?? null,
    fraction,
    completedBytes,
    totalBytes,
    bytesPerSecond: bytesPerSecond === null ? null : Math.round(bytesPerSecond),
    leftMs: leftMs === null ? null : Math.round(leftMs),
    layers: progress?.layers ?? [],
  };
}

function progressLine(name: string, { progress }: PullMeter, figures: PullFigures): string {
  const { fraction, completedBytes, totalBytes, bytesPerSecond, leftMs } = figures;
  if (progress?.phase !== 'downloading') return `${name}  ${progress?.status ?? ''}`;
  const full = Math.round((fraction ?? 0) * BAR_CELLS);
  const bar = `[${'#'.repeat(full)}${' '.repeat(BAR_CELLS - full)}]`;
  const percent = fraction === null ? '  —' : String(Math.floor(fraction * 100)).padStart(3);
  const speed = bytesPerSecond === null ? '' : `  ${formatBytes(bytesPerSecond)}/s`;
  const left = leftMs === null ? '' : `  ${formatCountdown(leftMs)} left`;
  return `${name}  ${percent} % ${bar} ${formatUsage(completedBytes, totalBytes)}${speed}${left}`;
}
