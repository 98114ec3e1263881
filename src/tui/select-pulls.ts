import type { PullBarRow, PullRow } from '../../widgets/model-list.js';
import { formatBytes, formatCountdown, formatPercent, formatUsage } from '../../widgets/text/format.js';
import type { Token } from '../../widgets/text/span.js';
import { pullFigures, type PullFigures } from '../domain/pull-meter.js';
import type { Pull } from '../state/pulls.js';

/** The rows of one pull in the tree. `mono`: now. */
export function pullRows(pull: Pull, mono: number): readonly (PullRow | PullBarRow)[] {
  const figures = pullFigures(pull, mono);
  const [note, noteToken] = noteOf(pull, figures, mono);
  const head: PullRow = { kind: 'pull', key: pull.id, label: pull.name, note, noteToken };
  const bar = barOf(pull, figures);
  return bar ? [head, bar] : [head];
}

function noteOf(pull: Pull, figures: PullFigures, mono: number): readonly [string, Token] {
  const percent = figures.fraction === null ? '' : ` ${formatPercent(figures.fraction)}`;
  switch (pull.state) {
    case 'waiting':
      return ['waits', 'muted'];
    case 'stopped':
      return [`${pull.fault ? 'failed' : 'stopped'}${percent}`, pull.fault ? 'bad' : 'warn'];
    case 'done':
      return ['done', 'good'];
    case 'running':
      break;
  }
  const since = formatCountdown(Math.max(0, mono - pull.phaseMono));
  switch (pull.progress?.phase ?? 'preparing') {
    case 'preparing':
      return [`asking ${since}`, 'accent'];
    case 'downloading':
      return [`${percent.trim() || '—'}  ${formatCountdown(figures.leftMs).padStart(6)}`, 'accent'];
    case 'verifying':
      return [`verifying ${since}`, 'accent'];
    case 'done':
      return ['done', 'good'];
  }
}

function barOf(pull: Pull, figures: PullFigures): PullBarRow | null {
  if (pull.state === 'stopped')
    return { kind: 'pull-bar', key: pull.id, note: 'Enter goes on, x removes it', more: '' };
  if (pull.state !== 'running' || pull.progress === null || pull.progress.phase === 'preparing') return null;
  const speed = figures.bytesPerSecond;
  return {
    kind: 'pull-bar',
    key: pull.id,
    fraction: figures.fraction,
    note: pull.progress.phase === 'downloading' ? (speed === null ? '—' : `${formatBytes(speed)}/s`) : '',
    more: formatUsage(figures.completedBytes, figures.totalBytes),
  };
}
