import { SMALLEST } from '../domain/smallest-screen.js';
import type { Area } from '../terminal/terminal.js';
import type { LayoutName } from '../domain/settings.js';
import type { PaneId } from '../events/catalogue.js';

export type SurfaceId =
  'header' | 'models' | 'machine' | 'strip' | 'transcript' | 'message' | 'log' | 'phase' | 'small';

export interface Arrangement {
  /** Null: not on the screen. */
  readonly areas: Readonly<Record<SurfaceId, Area | null>>;
  readonly panes: readonly PaneId[];
}

export interface ArrangeInput {
  readonly width: number;
  readonly height: number;
  readonly layout: LayoutName;
  readonly zoomed: PaneId | null;
  readonly pane: PaneId;
  /** Rows that the message wants, without border. */
  readonly messageRows: number;
  /** Rows that the machine pane wants, without border. */
  readonly machineRows: number;
}

const WIDE = { width: 100, height: 30 } as const;
const VERY_WIDE = 180;
const LEFT_COLUMN = 38;
const LOG_COLUMN = 64;

/** Where every surface stands. Pure; covers the screen without overlap. */
export function arrange(input: ArrangeInput): Arrangement {
  const { width, height } = input;
  if (width < SMALLEST.width || height < SMALLEST.height) return tooSmall(width, height);
  const wide = width >= WIDE.width && height >= WIDE.height;
  const areas = none();
  areas.header = area(0, 0, width, 1);
  areas.phase = area(0, height - 1, width, 1);
  const body = area(0, 1, width, height - 2);
  if (input.zoomed) return zoomed(input, areas, body);
  // A pane that the layout leaves out comes in the place of the chat when it has the focus.
  const left = input.layout === 'chat-machine' && (input.pane === 'models' || input.pane === 'log');
  if (!wide || input.layout === 'chat' || left) return column(input, areas, body, wide);
  return panes(input, areas, body);
}

/** Several panes side by side. */
function panes(input: ArrangeInput, areas: Areas, body: Area): Arrangement {
  const { width } = input;
  const all = input.layout === 'all';
  const veryWide = all && width >= VERY_WIDE;
  let { height } = body;
  if (all && !veryWide) {
    const logHeight = Math.max(4, Math.min(12, Math.floor((body.height - 20) / 4) + 3));
    height -= logHeight;
    areas.log = area(0, body.y + height, width, logHeight);
  }
  let right = width;
  if (veryWide) {
    right -= LOG_COLUMN;
    areas.log = area(right, body.y, LOG_COLUMN, body.height);
  }
  const left = Math.min(LEFT_COLUMN, Math.floor(width * 0.36));
  const machineHeight = Math.min(input.machineRows + 2, Math.max(4, height - 8));
  const modelsHeight = all ? height - machineHeight : 0;
  if (modelsHeight > 2) areas.models = area(0, body.y, left, modelsHeight);
  areas.machine = area(0, body.y + modelsHeight, left, height - modelsHeight);
  chat(input, areas, area(left, body.y, right - left, height));
  return finished(areas);
}

/** One column: the chat, or the other pane that has the focus, and a strip for the machine. */
function column(input: ArrangeInput, areas: Areas, body: Area, wide: boolean): Arrangement {
  const strip = input.layout === 'chat' && wide ? 0 : 1;
  const inner = area(0, body.y, body.width, body.height - strip);
  if (strip) areas.strip = area(0, body.y + inner.height, body.width, 1);
  const { pane } = input;
  if (pane === 'models' || pane === 'machine' || pane === 'log') areas[pane] = inner;
  else chat(input, areas, inner);
  return finished(areas);
}

function zoomed(input: ArrangeInput, areas: Areas, body: Area): Arrangement {
  const pane = input.zoomed;
  if (pane === 'models' || pane === 'machine' || pane === 'log') areas[pane] = body;
  else chat(input, areas, body);
  return finished(areas);
}

function chat(input: ArrangeInput, areas: Areas, room: Area): void {
  const rows = Math.max(1, Math.min(input.messageRows, Math.floor(room.height / 3) - 1));
  const messageHeight = rows + 2;
  areas.transcript = area(room.x, room.y, room.width, room.height - messageHeight);
  areas.message = area(room.x, room.y + room.height - messageHeight, room.width, messageHeight);
}

type Areas = Record<SurfaceId, Area | null>;

function none(): Areas {
  return {
    header: null,
    models: null,
    machine: null,
    strip: null,
    transcript: null,
    message: null,
    log: null,
    phase: null,
    small: null,
  };
}

function finished(areas: Areas): Arrangement {
  const shown: PaneId[] = (['models', 'machine', 'transcript', 'message', 'log'] as const).filter(
    (id) => areas[id] !== null,
  );
  // The strip shows the machine too.
  if (areas.strip && !shown.includes('machine')) shown.push('machine');
  return { areas, panes: shown };
}

function tooSmall(width: number, height: number): Arrangement {
  return { areas: { ...none(), small: area(0, 0, width, height) }, panes: [] };
}

function area(x: number, y: number, width: number, height: number): Area {
  return { x, y, width, height };
}
