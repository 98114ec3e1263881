import { gauge } from './gauge.js';
import { dimmed } from './gauge-line.js';
import { withSigns } from './glyphs.js';
import { memoryLines, netText, serverLines, type MachineProps } from './machine.js';
import { gpuLines, type GpuReading } from './machine-gpus.js';
import { fitRow, spansWidth } from './rows.js';
import { formatBytes, formatCount, formatCountdown, formatPercent } from './text/format.js';
import type { Row, Size, Span } from './text/span.js';
import { span } from './text/span.js';
import { padEnd, padStart, truncateMiddle } from './text/truncate.js';
import { wrapText } from './text/wrap.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

/** A model that lies in memory. */
export interface ModelInMemory {
  readonly label: string;
  readonly server: string;
  readonly memoryBytes: number | null;
  readonly vramBytes: number | null;
  /** Its time to live: `4m 59s`, `stays`. */
  readonly note: string;
}

export interface ProcessRow {
  readonly pid: number;
  readonly name: string;
  /** Where it listens, or the GPU that it uses. */
  readonly where: string;
  /** 1 is one core. */
  readonly cpu: number | null;
  readonly memoryBytes: number | null;
  readonly mappedBytes: number | null;
}

export interface GpuDetail extends GpuReading {
  readonly fan: number | null;
  readonly powerLimitW: number | null;
  readonly clockMHz: number | null;
  readonly memoryTemperatureC: number | null;
  /** Programs that have memory of it, with the model that they serve: `ollama 4123 · qwen3:8b`. */
  readonly users: readonly { readonly label: string; readonly memoryBytes: number | null }[];
}

/** Everything that is known of a machine. Ratios are fractions, null is not told. */
export interface MachineViewProps extends MachineProps {
  readonly gpus: readonly GpuDetail[];
  readonly cores: readonly number[] | null;
  /** Over 1, 5 and 15 minutes. */
  readonly loads: readonly (number | null)[];
  readonly coresAllowed: number | null;
  readonly ioWait: number | null;
  readonly pressure: {
    readonly cpuSome: number | null;
    readonly memorySome: number | null;
    readonly memoryFull: number | null;
    readonly ioSome: number | null;
  } | null;
  readonly temperatures: readonly { readonly label: string; readonly celsius: number }[];
  readonly battery: {
    readonly charge: number | null;
    readonly charging: boolean | null;
    readonly powerW: number | null;
  } | null;
  readonly disks: readonly { readonly path: string; readonly freeBytes: number | null }[];
  readonly oomKills: number | null;
  readonly models: readonly ModelInMemory[];
  readonly processes: readonly ProcessRow[] | null;
}

/** A share of waiting from which on it is felt. */
const PRESSING = 0.1;
/** From here on two columns stand side by side. */
const TWO_COLUMNS = 96;
const CORE_CELLS = 8;
/** ` 12 ▕████████▏ 100 % `. */
const CORE_COLUMNS = CORE_CELLS + 13;

/** The whole of a machine, for a pane over the whole screen: as many rows as it takes; the host cuts. */
export const machineView = {
  name: 'machine-view',
  create(glyphs: Glyphs): WidgetInstance<MachineViewProps> {
    return { view: (props, size) => ({ rows: viewRows(props, size, glyphs) }) };
  },
} satisfies Widget<MachineViewProps>;

function viewRows(props: MachineViewProps, { width, height }: Size, glyphs: Glyphs): Row[] {
  if (width <= 0 || height <= 0) return [];
  const two = width >= TWO_COLUMNS;
  const leftWidth = two ? Math.floor((width - 2) / 2) : width;
  const rightWidth = two ? width - 2 - leftWidth : width;
  const stale = props.staleMs !== null;
  const faint = (lines: Span[][]): Span[][] => (stale ? lines.map((line) => line.map(dimmed)) : lines);
  const left = faint(leftLines(props, leftWidth, glyphs));
  const right = [...noteLines(props, rightWidth), ...faint(rightLines(props, rightWidth, glyphs))];
  const lines = two ? beside(left, right, leftWidth, glyphs) : [...left, ...right];
  return lines.slice(0, height).map((line) => fitRow(line, width, glyphs.ellipsis));
}

function beside(left: Span[][], right: Span[][], leftWidth: number, glyphs: Glyphs): Span[][] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const { spans } = fitRow(left[i] ?? [], leftWidth, glyphs.ellipsis);
    const gap = ' '.repeat(Math.max(0, leftWidth - spansWidth(spans)));
    return [...spans, span(`${gap} ${glyphs.border.v}`, 'border'), ...(right[i] ?? [])];
  });
}

/** Processor, memory, GPUs. */
function leftLines(props: MachineViewProps, width: number, glyphs: Glyphs): Span[][] {
  const { sample } = props;
  const lines: Span[][] = [];
  if (sample === null) lines.push([span(' no reading yet', 'muted')]);
  else {
    const [cpu = [], ...memory] = memoryLines(props, sample, width, glyphs);
    lines.push(
      cpu,
      ...coreLines(props.cores ?? [], width, glyphs),
      loadLine(props, width, glyphs),
      ...memory,
    );
  }
  lines.push(...pressureLines(props, glyphs));
  for (const gpu of props.gpus)
    lines.push(...gpuLines(gpu, props, width, glyphs), ...gpuDetail(gpu, width, glyphs));
  return lines;
}

function coreLines(cores: readonly number[], width: number, glyphs: Glyphs): Span[][] {
  if (cores.length < 2) return [];
  const inRow = Math.max(1, Math.floor((width - 2) / CORE_COLUMNS));
  const lines: Span[][] = [];
  for (let i = 0; i < cores.length; i += inRow) {
    const line: Span[] = [span(' ')];
    for (const [at, share] of cores.slice(i, i + inRow).entries())
      line.push(
        span(`${padStart(String(i + at), 3)} `, 'muted'),
        ...gauge(share, CORE_CELLS, glyphs),
        span(` ${padStart(formatPercent(share, glyphs.unknown), 5)} `),
      );
    lines.push(line);
  }
  return lines;
}

function loadLine({ loads, coresAllowed, ioWait }: MachineViewProps, width: number, glyphs: Glyphs): Span[] {
  const shown = loads.map((load) => (load === null ? glyphs.unknown : load.toFixed(1))).join(' ');
  const pairs: (readonly [string, string])[] = [['load ', shown]];
  if (ioWait !== null) pairs.push(['waits for disks ', formatPercent(ioWait)]);
  if (coresAllowed !== null) pairs.push(['may use ', `${round(coresAllowed)} cores`]);
  const cells = pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 1);
  // Where all of it would not fit, the gaps give way.
  const gap = ' '.repeat(
    Math.max(1, Math.min(3, Math.floor((width - cells) / Math.max(1, pairs.length - 1)))),
  );
  return pairs.flatMap(([name, value], at) => [span(`${at === 0 ? ' ' : gap}${name}`, 'muted'), span(value)]);
}

/** Shares of the last 10 s in which work waited, and what the kernel did about it. */
function pressureLines({ pressure, oomKills }: MachineViewProps, glyphs: Glyphs): Span[][] {
  const lines: Span[][] = [];
  if (pressure) {
    const share = (value: number | null): Span =>
      span(formatPercent(value, glyphs.unknown), (value ?? 0) >= PRESSING ? 'warn' : 'text');
    lines.push([
      ...[span(' waits for CPU ', 'muted'), share(pressure.cpuSome)],
      ...[span('  memory ', 'muted'), share(pressure.memorySome)],
      ...[span(' (all ', 'muted'), share(pressure.memoryFull), span(')', 'muted')],
      ...[span('  disks ', 'muted'), share(pressure.ioSome)],
    ]);
  }
  // What happens while one looks is a notice of its own; this may be weeks old.
  if (oomKills !== null && oomKills > 0)
    lines.push([
      span(` ${formatCount(oomKills)} killed for want of memory since this machine started`, 'muted'),
    ]);
  return lines;
}

function gpuDetail(gpu: GpuDetail, width: number, glyphs: Glyphs): Span[][] {
  const facts = [
    gpu.powerLimitW === null ? '' : `limit ${Math.round(gpu.powerLimitW)} W`,
    gpu.clockMHz === null ? '' : `${Math.round(gpu.clockMHz)} MHz`,
    gpu.fan === null ? '' : `fan ${formatPercent(gpu.fan)}`,
    gpu.memoryTemperatureC === null ? '' : `memory ${degrees(gpu.memoryTemperatureC, glyphs)}`,
  ].filter((text) => text !== '');
  const lines: Span[][] = facts.length > 0 ? [[span(`      ${facts.join('   ')}`, 'muted')]] : [];
  for (const { label, memoryBytes } of gpu.users) {
    const size = padStart(formatBytes(memoryBytes, glyphs.unknown), 9);
    const room = Math.max(8, width - 6 - 10);
    lines.push([span(`      ${padEnd(truncateMiddle(label, room, glyphs.ellipsis), room)}`), span(size)]);
  }
  return lines;
}

/** Models, processes, temperatures, disks. */
function rightLines(props: MachineViewProps, width: number, glyphs: Glyphs): Span[][] {
  const { sample } = props;
  const lines: Span[][] = [...modelLines(props.models, width, glyphs)];
  for (const server of props.servers ?? []) lines.push(...serverLines(server, width, glyphs));
  if (props.processes && props.processes.length > 0)
    lines.push(...processLines(props.processes, width, glyphs));
  if (props.temperatures.length > 0)
    lines.push([
      span(' heat  ', 'muted'),
      span(
        props.temperatures.map(({ label, celsius }) => `${label} ${degrees(celsius, glyphs)}`).join('   '),
      ),
    ]);
  if (props.battery) lines.push([span(' battery ', 'muted'), span(batteryText(props.battery, glyphs))]);
  for (const { path, freeBytes } of props.disks)
    lines.push([
      span(' disk  ', 'muted'),
      span(`${formatBytes(freeBytes, glyphs.unknown)} free`),
      span(`  ${truncateMiddle(path, Math.max(8, width - 24), glyphs.ellipsis)}`, 'muted'),
    ]);
  if (sample && props.disks.length === 0)
    lines.push([span(' disk  ', 'muted'), span(`${formatBytes(sample.diskFreeBytes, glyphs.unknown)} free`)]);
  if (sample) lines.push([span(' net   ', 'muted'), span(netText(sample, glyphs))]);
  for (const fact of props.facts) lines.push([span(withSigns(` ${fact}`, glyphs), 'muted')]);
  return lines;
}

function noteLines({ staleMs, notes }: MachineViewProps, width: number): Span[][] {
  const old = staleMs === null ? [] : [[span(` no new reading for ${formatCountdown(staleMs)}`, 'warn')]];
  return [
    ...old,
    ...notes.flatMap((note) =>
      wrapText(note, Math.max(1, width - 1)).map((part) => [span(` ${part}`, 'warn')]),
    ),
  ];
}

function modelLines(models: readonly ModelInMemory[], width: number, glyphs: Glyphs): Span[][] {
  if (models.length === 0) return [[span(' no model is in memory', 'muted')]];
  const room = Math.max(8, width - 2 - 32);
  return [
    [span(` ${padEnd('models in memory', room)}`, 'title'), span('    memory  on a GPU', 'muted')],
    ...models.map(({ label, server, memoryBytes, vramBytes, note }): Span[] => [
      span(` ${padEnd(truncateMiddle(`${label} ${glyphs.dot} ${server}`, room, glyphs.ellipsis), room)}`),
      span(padStart(formatBytes(memoryBytes, glyphs.unknown), 10)),
      span(padStart(formatBytes(vramBytes, glyphs.unknown), 10)),
      span(`  ${note}`, 'muted'),
    ]),
  ];
}

function processLines(processes: readonly ProcessRow[], width: number, glyphs: Glyphs): Span[][] {
  const room = Math.max(8, width - 2 - 36);
  return [
    [span(` ${padEnd('processes', room)}`, 'title'), span('     PID     CPU      own   mapped', 'muted')],
    ...processes.map(({ pid, name, where, cpu, memoryBytes, mappedBytes }): Span[] => [
      span(
        ` ${padEnd(truncateMiddle([name, where].filter(Boolean).join(' '), room, glyphs.ellipsis), room)}`,
      ),
      span(padStart(String(pid), 8), 'muted'),
      span(padStart(cpu === null ? glyphs.unknown : `${Math.round(cpu * 100)} %`, 8)),
      span(padStart(formatBytes(memoryBytes, glyphs.unknown), 9)),
      span(padStart(formatBytes(mappedBytes, glyphs.unknown), 9), 'muted'),
    ]),
  ];
}

function batteryText(battery: NonNullable<MachineViewProps['battery']>, glyphs: Glyphs): string {
  const { charge, charging, powerW } = battery;
  const power = powerW === null ? '' : `, ${round(powerW)} W`;
  const plug = charging === null ? '' : charging ? ', charging' : ', in use';
  return `${formatPercent(charge, glyphs.unknown)}${plug}${power}`;
}

function degrees(celsius: number, glyphs: Glyphs): string {
  return `${Math.round(celsius)} ${glyphs.ascii ? 'C' : '°C'}`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
