import { createDotCanvas, type DotContext } from './dot-canvas.js';
import { sparkline } from './gauge.js';
import { cutRows, fitRow } from './rows.js';
import { formatCountdown, formatPercent } from './text/format.js';
import type { Row, Size, Span, Token } from './text/span.js';
import { span } from './text/span.js';
import { padEnd } from './text/truncate.js';
import { stringWidth } from './text/width.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

export interface HistorySeries {
  readonly label: string;
  readonly token: Token;
  /** Fractions 0..1, newest last; null is a gap. */
  readonly samples: readonly (number | null)[];
  /** How long ago each sample was taken, in ms; as many as samples, falling. */
  readonly agesMs: readonly number[];
}

/** A span of time that is marked below the curves, such as an answer. */
export interface HistoryMark {
  readonly fromMs: number;
  /** How long ago it ended; 0: it goes on. */
  readonly toMs: number;
  readonly label: string;
}

export interface HistoryChartProps {
  readonly series: readonly HistorySeries[];
  readonly marks: readonly HistoryMark[];
  /** Time from sample to sample, as it is wished. */
  readonly intervalMs: number;
}

/** What of blessed-contrib's line chart is used: it draws on `ctx`, and reads nothing of the screen. */
interface LineChart {
  readonly options: Readonly<Record<string, unknown>>;
  readonly ctx: DotContext;
  readonly canvasSize: { readonly width: number; readonly height: number };
}
interface LineSeries {
  readonly x: readonly string[];
  readonly y: readonly number[];
  readonly style: { readonly line: Token };
}
interface LineChartConstructor {
  readonly prototype: { setData(this: LineChart, series: readonly LineSeries[]): void };
}

/** A sample stands for the time since the one before it (a load is what was done since then), but for no more than so many steps: the rest is a gap. */
const HELD_STEPS = 3;
const HELD_AT_LEAST_MS = 6000;
/** Coarser steps, so that the last mark is wholly on the axis. */
const STEP_FACTORS = [1, 2, 5, 10];

/** Dots left of the axis: three digits of the scale. Fixed, so that the place of a sample is known. */
const AXIS_DOTS = 10;
/** The chart puts a point two dots behind the axis. */
const POINT_SHIFT = 2;
const MIN_WIDTH = 24;
const MIN_HEIGHT = 6;

let lineChart: LineChartConstructor | null = null;

/**
 * Loads the chart: blessed-contrib's line chart costs 15 MB with what it requires, so it comes only when a wide history is asked for.
 * Until then, and with ASCII glyphs, the histories are drawn as one row each. False when it could not be loaded.
 */
export async function loadHistoryChart(): Promise<boolean> {
  try {
    lineChart ??= (await import('blessed-contrib/lib/widget/charts/line.js')).default;
    return true;
  } catch {
    return false;
  }
}

/** The histories of the gauges over the whole width, the newest sample at the right. */
export const historyChart = {
  name: 'history-chart',
  create(glyphs: Glyphs): WidgetInstance<HistoryChartProps> {
    return {
      view(props, size) {
        if (size.width <= 0 || size.height <= 0) return { rows: [] };
        const wide =
          lineChart !== null && !glyphs.ascii && size.width >= MIN_WIDTH && size.height >= MIN_HEIGHT;
        const rows =
          wide && props.series.length > 0 ? chartRows(props, size, glyphs) : sparkRows(props, size, glyphs);
        return { rows: cutRows(rows, size) };
      },
    };
  },
} satisfies Widget<HistoryChartProps>;

function chartRows(props: HistoryChartProps, { width, height }: Size, glyphs: Glyphs): Row[] {
  const legend: Span[] = [span(' ')];
  for (const { label, token, samples } of props.series)
    legend.push(
      span(`${glyphs.dash}${glyphs.dash} `, token),
      span(`${label} ${formatPercent(samples.at(-1) ?? null, glyphs.unknown)}   `),
    );
  const columns = width - 1;
  const chartHeight = height - 1 - (props.marks.length > 0 ? 1 : 0);
  const count = Math.max(2, columns - AXIS_DOTS / 2 - 2);
  const stepMs = stepOf(props, count);
  const series = props.series.map((each) => ({ token: each.token, samples: sampledAt(each, count, stepMs) }));
  const dotsPerSample = (columns * 2 - AXIS_DOTS) / count;
  const gaps = new Map(series.map(({ token, samples }) => [token, samples]));
  const canvas = createDotCanvas(columns, chartHeight, (x, token) => {
    const samples = gaps.get(token);
    if (samples === undefined) return false;
    const at = Math.round((x - AXIS_DOTS - POINT_SHIFT) / dotsPerSample);
    return (samples[Math.max(0, Math.min(count - 1, at))] ?? null) === null;
  });
  const x = Array.from({ length: count }, (_, i) => formatCountdown((count - 1 - i) * stepMs));
  lineChart?.prototype.setData.call(
    {
      options: {
        style: { line: 'accent', text: 'muted', baseline: 'border' },
        showNthLabel: 1,
        xLabelPadding: 5,
        xPadding: AXIS_DOTS,
        numYLabels: 4,
        minY: 0,
        maxY: 100,
        legend: {},
      },
      ctx: canvas.context,
      // One row more than there is: the chart leaves its last one empty.
      canvasSize: { width: columns * 2, height: (chartHeight + 1) * 4 },
    },
    // A gap gets its neighbour's height; its dots are left out.
    series.map(({ token, samples }) => ({ x, y: filled(samples), style: { line: token } })),
  );
  const rows = [
    fitRow(legend, width),
    ...canvas.rows().map((line) => fitRow([span(' '), ...line.spans], width)),
  ];
  if (props.marks.length === 0) return rows;
  // The first column of samples: after the margin, the axis and the shift of the points.
  const left = 1 + (AXIS_DOTS + POINT_SHIFT) / 2;
  return [...rows, fitRow(markSpans(props.marks, left, count, stepMs, glyphs), width)];
}

/** The step of the axis: the wished one, or the next coarser one with which the last mark is wholly on it. */
function stepOf({ marks, intervalMs }: HistoryChartProps, count: number): number {
  const last = marks.at(-1)?.fromMs ?? 0;
  const fitting = STEP_FACTORS.find((factor) => factor * intervalMs * (count - 1) >= last);
  return (fitting ?? 1) * intervalMs;
}

/** What was at each column, the newest at the right; gaps where nothing was told. */
function sampledAt({ samples, agesMs }: HistorySeries, count: number, stepMs: number): (number | null)[] {
  const heldMs = Math.max(HELD_AT_LEAST_MS, HELD_STEPS * stepMs);
  const columns = new Array<number | null>(count).fill(null);
  let at = samples.length - 1;
  for (let column = count - 1; column >= 0 && at >= 0; column--) {
    const ageMs = (count - 1 - column) * stepMs;
    // The first sample after that time; none has come after the newest.
    while (at > 0 && (agesMs[at - 1] ?? Infinity) <= ageMs) at--;
    const distanceMs = Math.abs(ageMs - (agesMs[at] ?? Infinity));
    const before = at === 0 && ageMs > (agesMs[0] ?? Infinity);
    if (distanceMs <= heldMs && !(before && distanceMs >= stepMs)) columns[column] = samples[at] ?? null;
  }
  return columns;
}

/** `├ 41.2 tok/s ──────┤` below the time in which it was; what goes on has no end yet. */
function markSpans(
  marks: readonly HistoryMark[],
  left: number,
  count: number,
  stepMs: number,
  glyphs: Glyphs,
): Span[] {
  const cells = new Array<string>(left + count).fill(' ');
  const columnOf = (ageMs: number): number => left + count - 1 - Math.round(ageMs / stepMs);
  for (const { fromMs, toMs, label } of marks) {
    const to = columnOf(toMs);
    const from = Math.max(left, columnOf(fromMs));
    if (to < left) continue;
    for (let x = from; x <= to; x++) cells[x] = glyphs.border.h;
    if (columnOf(fromMs) >= left) cells[from] = glyphs.border.teeLeft;
    if (toMs > 0) cells[to] = glyphs.border.teeRight;
    // In the mark, else before it where nothing stands.
    const text = ` ${label} `;
    const start = text.length <= to - from - 2 ? from + 2 : from - text.length;
    const free = start > from || (start >= left && cells.slice(start, from).every((cell) => cell === ' '));
    if (free && stringWidth(text) === text.length)
      for (let i = 0; i < text.length; i++) cells[start + i] = text.charAt(i);
  }
  return [span(cells.join('').trimEnd(), 'accent')];
}

function filled(samples: readonly (number | null)[]): number[] {
  let last = 0;
  return samples.map((sample) => {
    if (sample !== null && Number.isFinite(sample)) last = Math.min(1, Math.max(0, sample)) * 100;
    return last;
  });
}

function sparkRows(props: HistoryChartProps, { width }: Size, glyphs: Glyphs): Row[] {
  const labels = Math.max(0, ...props.series.map(({ label }) => stringWidth(label)));
  return props.series.map(({ label, token, samples }) => {
    const room = width - labels - 3;
    return fitRow(
      [
        span(` ${padEnd(label, labels)} `, 'muted'),
        span(room > 0 ? sparkline(samples, room, glyphs) : '', token),
      ],
      width,
    );
  });
}
