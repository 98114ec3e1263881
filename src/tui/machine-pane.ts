import { historyChart, loadHistoryChart, type HistorySeries } from '../../widgets/history-chart.js';
import { machine, noteRows, serverLines } from '../../widgets/machine.js';
import { machineView } from '../../widgets/machine-view.js';
import { EMPTY_ROW, type Size } from '../../widgets/text/span.js';
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

export interface MachinePane {
  view(state: State, size: Size): View;
}

/** Gauges; over the whole screen all that is known, and the histories with a time axis on which the answers are marked. `onLoaded`: paint again. */
export function createMachinePane(glyphs: Glyphs, onLoaded: () => void): MachinePane {
  const gauges = machine.create(glyphs);
  const whole = machineView.create(glyphs);
  const chart = historyChart.create(glyphs);
  let loading = false;

  return {
    view(state, size) {
      if (size.height < WHOLE_ROWS || size.width < WHOLE_COLUMNS)
        return gauges.view(selectMachine(state), size);
      const readings = readingsOf(state, shownMachine(state));
      const { rows } = whole.view(selectMachineView(state), size);
      if (readings.sample === null || size.width < CHART_COLUMNS) return { rows };
      if (!loading) {
        loading = true;
        void loadHistoryChart().then((loaded) => loaded && onLoaded());
      }
      // Where there are more facts than room, the curves have theirs all the same.
      const shown = rows.slice(0, size.height - CHART_ROWS - 1);
      const props = {
        series: seriesOf(readings, state.mono),
        marks: answerMarks(state),
        intervalMs: sampleIntervalMs(state),
      };
      const below = chart.view(props, { width: size.width, height: size.height - shown.length - 1 });
      return { rows: [...shown, EMPTY_ROW, ...below.rows] };
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
