import { formatBytes } from '../../widgets/text/format.js';
import { offeredCatalogue, type OfferedEntry } from '../domain/catalogue.js';
import { VERDICT_WORDS } from '../domain/fit-words.js';
import { EXIT } from '../errors.js';
import type { CommandContext } from './command.js';
import { lookAtMachine } from './machine-once.js';
import { isOn, type Arguments } from './options.js';
import { statusLine } from './status-line.js';

/** `lmapp models catalogue`: what lmapp can fetch by itself, sorted by what fits this machine. */
export async function tellCatalogue(context: CommandContext, args: Arguments): Promise<number> {
  const { ports, files, stdout, stderr } = context;
  const waiting = statusLine(stderr);
  waiting.show('looking at the machine');
  const { sample } = await lookAtMachine(ports, files.chats, { machine: true, gpu: false });
  waiting.clear();
  const total = sample?.memoryTotalBytes ?? null;
  const used = sample?.memoryUsedBytes ?? null;
  const free = total === null || used === null ? null : Math.max(0, total - used);
  const offered = offeredCatalogue(free);
  stdout.write(isOn(args, 'json') ? `${JSON.stringify(asJson(offered), null, 2)}\n` : asText(offered, free));
  return EXIT.ok;
}

function asJson(offered: readonly OfferedEntry[]): readonly Readonly<Record<string, unknown>>[] {
  return offered.map(({ entry, verdict, neededBytes }) => ({
    name: entry.name,
    title: entry.title,
    sizeBytes: entry.sizeBytes,
    parameters: entry.parameters,
    quantization: entry.quantization,
    contextMax: entry.contextMax,
    license: entry.license,
    note: entry.note,
    source: `hf:${entry.repo}:${entry.file}`,
    verdict,
    neededBytes,
  }));
}

function asText(offered: readonly OfferedEntry[], free: number | null): string {
  const rows = offered.map(({ entry, verdict }) => [
    entry.name,
    formatBytes(entry.sizeBytes),
    entry.quantization,
    `${entry.contextMax} ctx`,
    entry.license,
    VERDICT_WORDS[verdict],
    entry.note,
  ]);
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const memory = free === null ? 'The free memory is not known.' : `${formatBytes(free)} of memory are free.`;
  return `${lines.join('\n')}\n\n${memory} Fetch one with: lmapp models pull NAME\n`;
}
