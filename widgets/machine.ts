import { withSigns } from './glyphs.js';
import { dimmed, gaugeLine, ratio } from './gauge-line.js';
import { allGpuLines, type GpuReading } from './machine-gpus.js';
import { cutRows, fitRow, textRow } from './rows.js';
import {
  formatBytes,
  formatCountdown,
  formatPercent,
  formatPercentNumber,
  formatSpeed,
  formatUsage,
} from './text/format.js';
import type { Row, Size, Span } from './text/span.js';
import { span } from './text/span.js';
import { stringWidth } from './text/width.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, View, Widget, WidgetInstance } from './widget.js';

/** Readings of the machine; null is not known. Ratios are fractions 0..1, memory is in bytes. */
export interface MachineReading {
  readonly cpu: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  /** The total is a limit set for this program, not the machine's memory. */
  readonly memoryLimited: boolean;
  readonly swapUsedBytes: number | null;
  readonly swapTotalBytes: number | null;
  readonly load1: number | null;
  readonly diskFreeBytes: number | null;
  readonly netReceivedPerSecond: number | null;
  readonly netSentPerSecond: number | null;
}

/** Requests, tokens per second, and the share of the memory for contexts that is in use. */
export interface ServerReading {
  readonly name: string;
  readonly running: number | null;
  readonly waiting: number | null;
  readonly cacheUsed: number | null;
  readonly answerPerSecond: number | null;
  readonly promptPerSecond: number | null;
}

export interface MachineProps {
  readonly sample: MachineReading | null;
  readonly gpus: readonly GpuReading[];
  /** Newest last; null is a gap. Fractions. */
  readonly cpuHistory: readonly (number | null)[];
  readonly memoryHistory: readonly (number | null)[];
  /** Of the busiest GPU. */
  readonly gpuHistory: readonly (number | null)[];
  /** What model servers tell of their work, where they are asked. */
  readonly servers?: readonly ServerReading[];
  /** Age of the readings in ms when no new ones come; null while they are fresh. */
  readonly staleMs: number | null;
  /** Facts that do not change, shown below when there is room: system, processor. */
  readonly facts: readonly string[];
  /** What the sources say: `nvidia-smi: driver does not answer`. */
  readonly notes: readonly string[];
}

const SERVER_INDENT = 3;

export const machine = {
  name: 'machine',
  create(glyphs: Glyphs): WidgetInstance<MachineProps> {
    return { view: (props, size) => machineView(props, size, glyphs) };
  },
} satisfies Widget<MachineProps>;

function machineView(props: MachineProps, size: Size, glyphs: Glyphs): View {
  const { width, height } = size;
  if (width <= 0 || height <= 0) return { rows: [] };
  const lines: Span[][] = [];
  const { sample } = props;
  if (sample === null && props.gpus.length === 0) lines.push([span(' no reading yet', 'muted')]);
  if (sample !== null) lines.push(...memoryLines(props, sample, width, glyphs));
  const notes = props.notes.flatMap((note) => noteRows(note, width, glyphs));
  const below: Span[][] = [];
  for (const server of props.servers ?? []) below.push(...serverLines(server, width, glyphs));
  if (sample !== null) below.push(otherLine(sample, width, glyphs));
  if (props.staleMs !== null)
    below.push([span(` no new reading for ${formatCountdown(props.staleMs)}`, 'warn')]);
  lines.push(...allGpuLines(props, width, height - lines.length - below.length - notes.length, glyphs));
  lines.push(...below);
  const stale = props.staleMs !== null;
  const rows: Row[] = lines.map((spans) => fitRow(stale ? spans.map(dimmed) : spans, width, glyphs.ellipsis));
  rows.push(...notes);
  for (const fact of props.facts)
    rows.push(textRow(withSigns(` ${fact}`, glyphs), 'muted', width, glyphs.ellipsis));
  return { rows: cutRows(rows, size) };
}

/** A reason or a next step is of no use when its end is missing. */
export function noteRows(note: string, width: number, glyphs: Glyphs): Row[] {
  const indent = ' '.repeat(1 + note.length - note.trimStart().length);
  const room = Math.max(1, width - indent.length);
  return wrapText(note.trim(), room).map((part) =>
    textRow(`${indent}${part}`, 'warn', width, glyphs.ellipsis),
  );
}

/** ` vLLM  2 running  1 waiting  cache 42 %  35.0 tok/s  prompt 120 tok/s`: what does not fit stands in further rows. */
export function serverLines(server: ServerReading, width: number, glyphs: Glyphs): Span[][] {
  const { running, waiting, cacheUsed, answerPerSecond, promptPerSecond } = server;
  const count = (value: number | null): string => (value === null ? glyphs.unknown : String(value));
  const lines: string[] = [];
  let room = width - stringWidth(server.name) - 2;
  for (const part of [
    `${count(running)} running`,
    `${count(waiting)} waiting`,
    `cache ${formatPercent(cacheUsed, glyphs.unknown)}`,
    formatSpeed(answerPerSecond, glyphs.unknown),
    `prompt ${formatSpeed(promptPerSecond, glyphs.unknown)}`,
  ]) {
    const last = lines.at(-1);
    if (last === undefined || stringWidth(last) + 2 + stringWidth(part) > room) {
      if (last !== undefined) room = width - SERVER_INDENT;
      lines.push(part);
    } else lines[lines.length - 1] = `${last}  ${part}`;
  }
  return lines.map((line, at) =>
    at === 0
      ? [span(` ${server.name} `, 'muted'), span(line)]
      : [span(`${' '.repeat(SERVER_INDENT)}${line}`)],
  );
}

export function memoryLines(
  props: MachineProps,
  sample: MachineReading,
  width: number,
  glyphs: Glyphs,
): Span[][] {
  const memory = ratio(sample.memoryUsedBytes, sample.memoryTotalBytes);
  const usage = formatUsage(sample.memoryUsedBytes, sample.memoryTotalBytes, glyphs.unknown);
  const lines = [
    gaugeLine('CPU', sample.cpu, formatPercent(sample.cpu, glyphs.unknown), props.cpuHistory, width, glyphs),
    gaugeLine(sample.memoryLimited ? 'limit' : 'RAM', memory, usage, props.memoryHistory, width, glyphs),
  ];
  // No swap at all is a fact of many machines and not worth a row.
  if (sample.swapTotalBytes !== null && sample.swapTotalBytes > 0) {
    const swap = formatUsage(sample.swapUsedBytes, sample.swapTotalBytes, glyphs.unknown);
    lines.push(
      gaugeLine('swap', ratio(sample.swapUsedBytes, sample.swapTotalBytes), swap, null, width, glyphs),
    );
  }
  return lines;
}

function otherLine(sample: MachineReading, width: number, glyphs: Glyphs): Span[] {
  const load = sample.load1 === null ? glyphs.unknown : sample.load1.toFixed(1);
  const disk = formatBytes(sample.diskFreeBytes, glyphs.unknown);
  const net = netText(sample, glyphs);
  // A figure that has lost its unit is none: where all of it would not fit, the gaps give way.
  const inGaps = width - stringWidth(` load ${load}disk ${disk}net ${net}`);
  const gap = ' '.repeat(Math.max(1, Math.min(3, Math.floor(inGaps / 2))));
  return [
    span(' load ', 'muted'),
    span(load),
    span(`${gap}disk `, 'muted'),
    span(disk),
    span(`${gap}net `, 'muted'),
    span(net),
  ];
}

/** Received and sent together in a narrow pane would not fit: the sum says whether the line is busy. */
export function netText({ netReceivedPerSecond, netSentPerSecond }: MachineReading, glyphs: Glyphs): string {
  if (netReceivedPerSecond === null && netSentPerSecond === null) return glyphs.unknown;
  return `${formatBytes((netReceivedPerSecond ?? 0) + (netSentPerSecond ?? 0))}/s`;
}

/** One line for narrow screens: `CPU 41 RAM 80 GPU 96 VRAM 66 %`. */
export const machineStrip = {
  name: 'machine-strip',
  create(glyphs: Glyphs): WidgetInstance<MachineProps> {
    return {
      view: (props, size) => ({
        rows: size.width <= 0 || size.height <= 0 ? [] : [machineStripRow(props, size.width, glyphs)],
      }),
    };
  },
} satisfies Widget<MachineProps>;

function machineStripRow(props: MachineProps, width: number, glyphs: Glyphs): Row {
  const { sample } = props;
  const figures: [string, number | null][] = [
    ['CPU', sample?.cpu ?? null],
    ['RAM', sample === null ? null : ratio(sample.memoryUsedBytes, sample.memoryTotalBytes)],
  ];
  // The busiest stands for all of them; the GPU pane shows each.
  const busiest = props.gpus.reduce<GpuReading | null>(
    (most, gpu) => (most === null || (gpu.utilization ?? -1) > (most.utilization ?? -1) ? gpu : most),
    null,
  );
  // There is no room to say that they are old.
  const isOld = busiest?.stale === true;
  if (busiest !== null)
    figures.push(
      ['GPU', isOld ? null : busiest.utilization],
      ['VRAM', isOld ? null : ratio(busiest.memoryUsedBytes, busiest.memoryTotalBytes)],
    );
  const stale = props.staleMs !== null;
  const spans: Span[] = [span(' ')];
  for (const [label, fraction] of figures) {
    spans.push(span(`${label} `, 'muted'));
    spans.push(
      // A hundred pushes the rest by a column; cut, it would be another number.
      span(`${formatPercentNumber(fraction, glyphs.unknown).padStart(2)} `, stale ? 'muted' : 'text'),
    );
  }
  spans.push(span('%', 'muted'));
  if (props.staleMs !== null) spans.push(span(` ${formatCountdown(props.staleMs)} old`, 'warn'));
  return fitRow(spans, width, glyphs.ellipsis);
}

/** `Machine · gpu-box`. */
export function machineTitle(host: string, glyphs: Glyphs): Row {
  return {
    spans: [span('Machine', 'title'), ...(host === '' ? [] : [span(` ${glyphs.dot} ${host}`, 'title')])],
  };
}
