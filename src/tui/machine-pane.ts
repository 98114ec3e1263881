import { historyChart, loadHistoryChart, type HistorySeries } from '../../widgets/history-chart.js';
import { machine } from '../../widgets/machine.js';
import { EMPTY_ROW, type Size } from '../../widgets/text/span.js';
import type { Glyphs, View } from '../../widgets/widget.js';
import { readingsOf, shownMachine } from '../state/machines.js';
import type { MachineReadings, State } from '../state/state.js';
import { selectMachine } from './select-machine.js';

/** A chart needs so many rows and columns beside the gauges; with less, the small histories must do. */
const CHART_ROWS = 8;
const CHART_COLUMNS = 50;

export interface MachinePane {
  view(state: State, size: Size): View;
}

/** Gauges, and where there is room below them (zoomed, or a narrow screen) the wide history. `onLoaded`: paint again. */
export function createMachinePane(glyphs: Glyphs, onLoaded: () => void): MachinePane {
  const gauges = machine.create(glyphs);
  const chart = historyChart.create(glyphs);
  let loading = false;

  return {
    view(state, size) {
      const view = gauges.view(selectMachine(state), size);
      const readings = readingsOf(state, shownMachine(state));
      const room = size.height - view.rows.length - 1;
      if (room < CHART_ROWS || size.width < CHART_COLUMNS || readings.sample === null) return view;
      if (!loading) {
        loading = true;
        void loadHistoryChart().then((loaded) => loaded && onLoaded());
      }
      const props = { series: seriesOf(readings), intervalMs: state.hardware.intervalMs };
      const below = chart.view(props, { width: size.width, height: room });
      return { rows: [...view.rows, EMPTY_ROW, ...below.rows] };
    },
  };
}

function seriesOf(readings: MachineReadings): readonly HistorySeries[] {
  const { cpuHistory, memoryHistory, gpuHistory, gpus } = readings;
  const series: HistorySeries[] = [
    { label: 'CPU', token: 'accent', samples: cpuHistory },
    { label: 'RAM', token: 'good', samples: memoryHistory },
  ];
  return gpus.length > 0 ? [...series, { label: 'GPU', token: 'warn', samples: gpuHistory }] : series;
}
