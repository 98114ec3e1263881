import { sparkline } from './gauge.js';
import { barCells, dimmed, gaugeLine, LABEL_COLUMNS, ratio } from './gauge-line.js';
import { spansWidth } from './rows.js';
import { formatPercent, formatUsage } from './text/format.js';
import type { Span, Token } from './text/span.js';
import { span } from './text/span.js';
import { padEnd, padStart, truncateMiddle } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import type { Glyphs } from './widget.js';

export interface GpuReading {
  readonly index: number;
  readonly name: string;
  readonly utilization: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryTotalBytes: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
  /** A word in place of readings: `asleep`. */
  readonly note?: string | null;
  /** Its memory is a part of the machine's. */
  readonly shared?: boolean;
  /** Why it runs slower than it could: `heat`. */
  readonly slowedBy?: string | null;
  /** Its source does not answer any more: these are its last readings. */
  readonly stale?: boolean;
}

export interface GpuRows {
  readonly gpus: readonly GpuReading[];
  /** Of the busiest GPU; newest last, null is a gap. Fractions. */
  readonly gpuHistory: readonly (number | null)[];
}

const SHORT_USAGE_COLUMNS = 16;

/** Two rows a card; where that is more than `room`, one, and how many cards more there are. */
export function allGpuLines(props: GpuRows, width: number, room: number, glyphs: Glyphs): Span[][] {
  const { gpus } = props;
  const lines = gpus.flatMap((gpu) => gpuLines(gpu, props, width, glyphs));
  if (lines.length <= Math.max(2, room)) return lines;
  const most = Math.max(1, room);
  const short = gpus.map((gpu) => shortGpuLine(gpu, width, glyphs));
  if (short.length <= most) return short;
  return [
    ...short.slice(0, most - 1),
    [span(` ${glyphs.ellipsis} ${gpus.length - (most - 1)} more GPUs`, 'muted')],
  ];
}

/** ` GPU3   39 %  28.8 / 85.5 GB  43 °C`. */
function shortGpuLine(gpu: GpuReading, width: number, glyphs: Glyphs): Span[] {
  const usage = formatUsage(gpu.memoryUsedBytes, gpu.memoryTotalBytes, glyphs.unknown);
  const head = [
    span(` ${padEnd(`GPU${gpu.index}`, LABEL_COLUMNS)}`, 'muted'),
    busyOf(gpu, 5, glyphs),
    span(`  ${padStart(usage, SHORT_USAGE_COLUMNS)} `),
  ];
  const room = width - LABEL_COLUMNS - SHORT_USAGE_COLUMNS - 9;
  return shownAsOld(gpu, [...head, ...readsOf(gpu, room, glyphs)]);
}

function busyOf(gpu: GpuReading, columns: number, glyphs: Glyphs): Span {
  const busy = formatPercent(gpu.utilization, glyphs.unknown);
  return span(padStart(busy, columns), gpu.utilization === null ? 'muted' : 'text');
}

/** What is told of a card beside its work, each with a blank before it; what has no room whole is left out, the least important first. */
function readsOf(gpu: GpuReading, room: number, glyphs: Glyphs): Span[] {
  const wished = gpu.slowedBy === 'power limit';
  const why = typeof gpu.slowedBy === 'string' ? `slowed: ${gpu.slowedBy}` : '';
  const slowed = why === '' || wished || stringWidth(why) < room ? why : 'slow';
  const heat =
    gpu.temperatureC === null ? '' : `${Math.round(gpu.temperatureC)} ${glyphs.ascii ? 'C' : '°C'}`;
  const power = gpu.powerW === null ? '' : `${Math.round(gpu.powerW)} W`;
  const inOrder: readonly (readonly [text: string, token: Token, importance: number])[] = [
    [gpu.note ?? '', 'muted', 0],
    [heat, 'muted', 2],
    [power, 'muted', 3],
    [slowed, wished ? 'muted' : 'warn', wished ? 4 : 1],
  ];
  let left = room;
  const shown = new Set<string>();
  for (const [text] of [...inOrder].sort((a, b) => a[2] - b[2])) {
    const cells = stringWidth(text) + 1;
    if (text === '' || cells > left) continue;
    left -= cells;
    shown.add(text);
  }
  return inOrder.filter(([text]) => shown.has(text)).map(([text, token]) => span(` ${text}`, token));
}

function shownAsOld(gpu: GpuReading, line: Span[]): Span[] {
  return gpu.stale === true ? line.map(dimmed) : line;
}

export function gpuLines(gpu: GpuReading, props: GpuRows, width: number, glyphs: Glyphs): Span[][] {
  const nameColumns = Math.max(6, barCells(width) + 2);
  const name = padEnd(truncateMiddle(shortName(gpu.name), nameColumns, glyphs.ellipsis), nameColumns);
  const room = width - LABEL_COLUMNS - nameColumns - 6;
  const reads = readsOf(gpu, room, glyphs);
  const left = room - spansWidth(reads);
  const head = [
    span(` ${padEnd(`GPU${gpu.index}`, LABEL_COLUMNS)}`, 'muted'),
    span(name),
    busyOf(gpu, 5, glyphs),
    ...(left > 0 && reads.length > 0 ? [span(' ')] : []),
    ...reads,
  ];
  // There is one history, of the busiest: beside each of several it would be that of another one.
  if (width >= 60 && left >= 8 && props.gpus.length === 1)
    head.push(span(`  ${sparkline(props.gpuHistory, left - 4, glyphs)}`, 'accent'));
  if (gpu.memoryUsedBytes === null && gpu.memoryTotalBytes === null) return [shownAsOld(gpu, head)];
  const usage = formatUsage(gpu.memoryUsedBytes, gpu.memoryTotalBytes, glyphs.unknown);
  return [
    head,
    gaugeLine(
      gpu.shared === true ? 'uses' : 'VRAM',
      ratio(gpu.memoryUsedBytes, gpu.memoryTotalBytes),
      usage,
      null,
      width,
      glyphs,
    ),
  ].map((line) => shownAsOld(gpu, line));
}

/** `RTX 4070`: the maker and the family say nothing that the number does not. */
function shortName(name: string): string {
  return name.replace(/^NVIDIA (?:GeForce )?/, '').replace(/^AMD (?:Radeon )?/, '');
}
