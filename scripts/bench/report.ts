/** One measured figure against its target. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with; the target is then a ratio. */
  readonly base: { readonly name: string; readonly value: number } | null;
  /** Null: told for information only. */
  readonly atMost: number | null;
  readonly note?: string;
}

export interface NotMeasured {
  readonly name: string;
  readonly reason: string;
}

export type Line = Figure | NotMeasured;

export function ratioOf(figure: Figure): number | null {
  return figure.base === null || figure.base.value === 0 ? null : figure.value / figure.base.value;
}

export function verdictOf(line: Line): 'ok' | 'over' | 'info' | 'not measured' {
  if ('reason' in line) return 'not measured';
  if (line.atMost === null) return 'info';
  return (ratioOf(line) ?? line.value) <= line.atMost ? 'ok' : 'over';
}

/** The table as Markdown, so that a run can be pasted into docs/performance.md as it is. */
export function table(lines: readonly Line[]): string {
  const cells = [
    ['what', 'measured', 'compared with', 'ratio', 'target', ''],
    ...lines.map((line) => {
      if ('reason' in line) return [line.name, '—', line.reason, '', '', 'not measured'];
      const ratio = ratioOf(line);
      const target =
        line.atMost === null ? '' : `<= ${number(line.atMost)}${ratio === null ? ` ${line.unit}` : ' x'}`;
      return [
        line.name + (line.note === undefined ? '' : ` (${line.note})`),
        `${number(line.value)} ${line.unit}`,
        line.base === null ? '' : `${line.base.name} ${number(line.base.value)} ${line.unit}`,
        ratio === null ? '' : `${ratio.toFixed(2)} x`,
        target,
        verdictOf(line),
      ];
    }),
  ];
  const widths =
    cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  const drawn = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  );
  return [drawn[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...drawn.slice(1)].join(
    '\n',
  );
}

export function number(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en');
  return Math.abs(value) >= 100
    ? value.toFixed(0)
    : value.toFixed(Math.abs(value) >= 10 ? 1 : 2).replace(/\.?0+$/, '');
}

/** The value below which this share of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);
