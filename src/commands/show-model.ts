import { formatBytes, formatCount } from '../../widgets/text/format.js';
import { sanitize, sanitizeLine } from '../../widgets/text/sanitize.js';
import type { Expiry, Model, ModelDetails } from '../domain/model.js';
import { EXIT } from '../errors.js';
import type { CommandContext } from './command.js';
import { isOn, type Arguments } from './options.js';
import { modelAsJson } from './print-models.js';
import { oneModel, oneName, withModels, type FoundModel } from './with-models.js';

/** `lmapp models show` */
export function showModel(context: CommandContext, args: Arguments): Promise<number> {
  const name = oneName(args, 'show');
  return withModels(context, args, async (work) => {
    const found = oneModel(work, name);
    work.status.show(`asking for ${found.model.label}`);
    const details = (await found.backend.details?.(found.model, work.signal)) ?? null;
    work.status.clear();
    if (work.signal.aborted) return EXIT.interrupted;
    if (isOn(args, 'json')) {
      const shown = { ...modelAsJson(found.backend.info.kind, found.server.url, found.model), details };
      context.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
    } else context.stdout.write(asText(found, details));
    return EXIT.ok;
  });
}

function asText({ model, backend }: FoundModel, details: ModelDetails | null): string {
  const facts: readonly (readonly [string, string])[] = [
    ['name', model.name],
    ['server', `${backend.info.title} ${backend.info.url}`.trimEnd()],
    ['state', model.loadState],
    ['stays loaded', staysOf(model.expiry)],
    ['for chat', model.chat ? 'yes' : 'no'],
    ['capabilities', model.capabilities?.join(', ') ?? '—'],
    ['file size', model.remote ? 'runs elsewhere (cloud)' : formatBytes(model.sizeBytes)],
    ['in memory', memoryOf(model)],
    ['family', model.family ?? '—'],
    ['parameters', model.parameters ?? '—'],
    ['quantization', model.quantization ?? '—'],
    ['context now', tokens(model.contextAllocated)],
    ['context of the model', tokens(model.contextMax)],
    ['digest', model.digest ?? '—'],
    ...(details?.modifiedAt ? [['changed', new Date(details.modifiedAt).toISOString()] as const] : []),
    ...(details?.facts ?? []),
  ];
  const parameters = details?.parameters ?? [];
  return [
    table(facts),
    section('Parameters of the model', parameters.length === 0 ? null : table(parameters)),
    section('System message', details?.system ?? null),
    section('Template', details?.template ?? null),
    section('License', details?.license ?? null),
  ].join('');
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows
    .map(([name, value]) => `${sanitizeLine(name).padEnd(width)}  ${sanitizeLine(value)}\n`)
    .join('');
}

function section(title: string, text: string | null): string {
  return text === null || text.trim() === '' ? '' : `\n${title}\n\n${sanitize(text).trimEnd()}\n`;
}

function staysOf(expiry: Expiry): string {
  if (expiry === null) return '—';
  if (expiry === 'never') return 'until it is unloaded by hand';
  return expiry === 'in-use' ? 'in use' : `until ${new Date(expiry.at).toISOString()}`;
}

function memoryOf({ memoryBytes, vramBytes }: Model): string {
  return memoryBytes === null || vramBytes === null
    ? formatBytes(memoryBytes)
    : `${formatBytes(memoryBytes)}, ${formatBytes(vramBytes)} of it on the GPU`;
}

function tokens(count: number | null): string {
  return count === null ? '—' : `${formatCount(count)} tokens`;
}
