import { historyChart, loadHistoryChart, type HistorySeries } from '../../widgets/history-chart.js';
import { machine, noteRows, serverLines } from '../../widgets/machine.js';
import { machineView } from '../../widgets/machine-view.js';
import { textRow } from '../../widgets/rows.js';
import { EMPTY_ROW, type Row, type Size } from '../../widgets/text/span.js';
import type { Glyphs, View } from '../../widgets/widget.js';
import { sampleIntervalMs } from '../state/hardware.js';
import { readingsOf, shownMachine } from '../state/machines.js';
import type { MachineReadings, State } from '../state/state.js';
import { answerMarks, selectMachineView } from './select-machine-view.js';
import { selectMachine } from './select-machine.js';

/** A chart needs so many rows and columns beside the gauges; with less, the small histories must do. */
const CHART_ROWS = 8;
const CHART_COLUMNS = 50;
/** From here on the pane has the whole screen, and shows all that is known. */
const WHOLE_ROWS = 16;
const WHOLE_COLUMNS = 60;

/** More rows than a machine has. */
const MOST_ROWS = 2000;

export interface MachinePane {
  view(state: State, size: Size): View;
  /** Of what the whole view knows: the first row that is shown, the last one that can be first, and the rows of a page. */
  rows(state: State, size: Size): { readonly row: number; readonly most: number; readonly page: number };
}

/** Gauges; over the whole screen all that is known, and the histories with a time axis on which the answers are marked. `onLoaded`: paint again. */
export function createMachinePane(glyphs: Glyphs, onLoaded: () => void): MachinePane {
  const gauges = machine.create(glyphs);
  const whole = machineView.create(glyphs);
  const chart = historyChart.create(glyphs);
  let loading = false;

  const isWhole = ({ width, height }: Size): boolean => height >= WHOLE_ROWS && width >= WHOLE_COLUMNS;

  /** All that is known, and the part of it that is shown: where there are more facts than room, the curves have theirs all the same. */
  function part(state: State, { width, height }: Size) {
    const { sample } = readingsOf(state, shownMachine(state));
    const { rows } = whole.view(selectMachineView(state), { width, height: MOST_ROWS });
    const hasChart = sample !== null && width >= CHART_COLUMNS;
    const room = Math.max(1, height - (hasChart ? CHART_ROWS + 1 : rows.length > height ? 1 : 0));
    const most = Math.max(0, rows.length - room);
    const row = Math.min(state.view.machineRow, most);
    return { shown: rows.slice(row, row + room), hasChart, row, most, page: Math.max(1, room - 1) };
  }

  /** Between facts and curves: how much more there is, and the way to it. */
  function moreRow(row: number, most: number, width: number): Row {
    if (most === 0) return EMPTY_ROW;
    const above = row > 0 ? [`${row} more ${glyphs.up}`] : [];
    const below = row < most ? [`${most - row} more ${glyphs.down}`] : [];
    const text = [...above, ...below, 'Up and Down'].join(` ${glyphs.dot} `);
    return textRow(` ${text}`, 'muted', width, glyphs.ellipsis);
  }

  return {
    view(state, size) {
      if (!isWhole(size)) return gauges.view(selectMachine(state), size);
      const { shown, hasChart, row, most } = part(state, size);
      const more = moreRow(row, most, size.width);
      if (!hasChart) return { rows: most > 0 ? [...shown, more] : shown };
      if (!loading) {
        loading = true;
        void loadHistoryChart().then((loaded) => loaded && onLoaded());
      }
      const props = {
        series: seriesOf(readingsOf(state, shownMachine(state)), state.mono),
        marks: answerMarks(state),
        intervalMs: sampleIntervalMs(state),
      };
      const below = chart.view(props, { width: size.width, height: size.height - shown.length - 1 });
      return { rows: [...shown, more, ...below.rows] };
    },
    rows(state, size) {
      if (!isWhole(size)) return { row: 0, most: 0, page: 1 };
      const { row, most, page } = part(state, size);
      return { row, most, page };
    },
  };
}

/** Beside the models the pane is so wide inside; notes and servers have so many rows at most there. */
const INSIDE_COLUMNS = 36;
const MOST_MORE_ROWS = 8;

/** Rows that the gauges want beside other panes, so that the reason of a fault and its next step are not cut. */
export function machinePaneRows(state: State, glyphs: Glyphs): number {
  const { gpus, sample, facts, detail, sources } = readingsOf(state, shownMachine(state));
  const swap = sample !== null && (sample.swapTotalBytes ?? 0) > 0 ? 1 : 0;
  const usual = 3 + swap + 2 * Math.min(gpus.length, 3) + (facts ? 2 : 0);
  if (sources.size === 0 && !detail?.servers) return usual;
  const { notes, servers = [] } = selectMachine(state);
  const more = [
    ...notes.flatMap((note) => noteRows(note, INSIDE_COLUMNS, glyphs)),
    ...servers.flatMap((server) => serverLines(server, INSIDE_COLUMNS, glyphs)),
  ];
  return usual + Math.min(MOST_MORE_ROWS, more.length);
}

function seriesOf(readings: MachineReadings, mono: number): readonly HistorySeries[] {
  const { cpuHistory, memoryHistory, sampleMonos, gpuHistory, gpuMonos, gpus } = readings;
  const agesMs = sampleMonos.map((at) => mono - at);
  const series: HistorySeries[] = [
    { label: 'CPU', token: 'accent', samples: cpuHistory, agesMs },
    { label: 'RAM', token: 'good', samples: memoryHistory, agesMs },
  ];
  if (gpus.length === 0) return series;
  return [
    ...series,
    { label: 'GPU', token: 'warn', samples: gpuHistory, agesMs: gpuMonos.map((at) => mono - at) },
  ];
}
