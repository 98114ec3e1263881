import { formatBytes, formatPercent, formatUsage } from '../../widgets/text/format.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { Fit } from '../domain/fit.js';
import { serverAsJson, sentenceOf } from './list-servers.js';
import { modelAsJson } from './print-models.js';
import type { ListedModel, Status } from './read-status.js';

/** For scripts (docs/models.md). Null is what nobody told; ratios are fractions, sizes bytes. */
export function statusAsJson({
  servers,
  models,
  machine,
  chosen,
}: Status): Readonly<Record<string, unknown>> {
  return {
    chosen: {
      model: chosen.listed?.model.key ?? null,
      canAnswer: chosen.reason === null,
      reason: chosen.reason,
      nextStep: chosen.nextStep,
    },
    servers: servers.map(serverAsJson),
    models: models.map(({ model, server, fit }) => ({ ...modelAsJson(server.kind, server.url, model), fit })),
    machine: {
      ...machine.sample,
      detail: machine.detail,
      gpus: machine.gpus,
      problems: Object.fromEntries(
        Object.entries(machine.failed).map(([source, { reason }]) => [source, reason]),
      ),
    },
  };
}

/** For people: the answer to the question first, then servers with their models, then the machine. */
export function statusAsText(status: Status): string {
  const { servers, models, chosen } = status;
  const name = chosen.listed
    ? `${chosen.listed.model.label} on ${chosen.listed.server.kind ?? 'server'}`
    : null;
  const lines = [
    chosen.reason === null ? `${name ?? 'a model'} can answer` : `nothing can answer: ${chosen.reason}`,
    ...(chosen.nextStep === null ? [] : [`  ${chosen.nextStep}`]),
    '',
  ];
  for (const server of servers) {
    lines.push(`${sentenceOf(server)}, ${server.state}`);
    if (server.fault)
      lines.push(`  ${server.fault.message}${server.fault.hint ? ` ${server.fault.hint}` : ''}`);
    for (const listed of models.filter((each) => each.server === server)) lines.push(`  ${modelRow(listed)}`);
  }
  lines.push(...(servers.length > 0 ? [''] : []), ...machineLines(status));
  return `${lines.map((line) => sanitizeLine(line)).join('\n')}\n`;
}

function modelRow({ model, fit }: ListedModel): string {
  const size = model.remote ? 'cloud' : formatBytes(model.sizeBytes);
  const state = model.chat ? (model.loadState === 'loaded' ? 'loaded' : fitWord(fit)) : 'not for chat';
  return `${model.label}  ${size}  ${state}`;
}

function fitWord({ verdict, probably, missingBytes }: Fit): string {
  if (verdict === 'unknown') return 'fit unknown';
  const likely = probably ? 'probably ' : '';
  if (verdict === 'partly') return `${likely}partly on the CPU`;
  return verdict === 'short' ? `needs ${formatBytes(missingBytes)} more` : `${likely}${verdict}`;
}

function machineLines({ machine }: Status): readonly string[] {
  const { sample, gpus, failed } = machine;
  const lines = [
    `CPU ${formatPercent(sample?.cpu ?? null)}`,
    `RAM ${formatUsage(sample?.memoryUsedBytes ?? null, sample?.memoryTotalBytes ?? null)}${sample?.memoryLimited ? ' (limit of a container)' : ''}`,
    `disk ${formatBytes(sample?.diskFreeBytes ?? null)} free`,
  ];
  for (const gpu of gpus) {
    const heat = gpu.temperatureC === null ? '' : `, ${Math.round(gpu.temperatureC)} °C`;
    const note = gpu.note ? `, ${gpu.note}` : '';
    lines.push(
      `GPU${gpu.index} ${gpu.name}: ${formatPercent(gpu.utilization)}, ${formatUsage(gpu.memoryUsedBytes, gpu.memoryTotalBytes)}${heat}${note}`,
    );
  }
  for (const [source, { reason }] of Object.entries(failed)) lines.push(`${source}: ${reason}`);
  return lines;
}
