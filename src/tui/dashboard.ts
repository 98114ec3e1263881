import { noticeStack } from '../../widgets/notices.js';
import { promptTextWidth } from '../../widgets/prompt-editor.js';
import type { CursorPosition } from '../../widgets/text/span.js';
import type { Glyphs } from '../../widgets/widget.js';
import type { AppEvent, PaneId } from '../events/catalogue.js';
import type { State } from '../state/state.js';
import type { Area, Surface, TerminalScreen } from '../terminal/terminal.js';
import { arrange, type Arrangement, type SurfaceId } from './arrange.js';
import type { Keymap } from './keymap.js';
import { createLogWindow } from './log-window.js';
import { machinePaneRows } from './machine-pane.js';
import { createOverlayPane } from './overlay-pane.js';
import { createPanes } from './panes.js';
import { createScrolling } from './scrolling.js';
import { modelRowKeys } from './select-models.js';

/** The panes on the screen: what each shows, where it stands, and what scrolling means in it. */
export interface Dashboard {
  /** Paints what changed since the last call into the screen; does not write. */
  paint(state: State): void;
  /** Panes that are on the screen now. */
  readonly shown: readonly PaneId[];
  /** Width that the text of the message box wraps at, for moves by row. */
  messageWidth(): number;
  listHeight(): number;
  /** The last row that can stand at the top of an overlay that has no rows to choose. */
  lastTop(): number;
  /** Does a command of scrolling; false when it is none. */
  scroll(state: State, command: string, publish: (event: AppEvent) => void): boolean;
  hit(state: State, x: number, y: number): { readonly pane: PaneId; readonly key: string | null } | null;
  /** More is to be shown than this frame had time for. */
  readonly behind: boolean;
}

export interface DashboardOptions {
  readonly screen: TerminalScreen;
  readonly glyphs: Glyphs;
  readonly keymap: Keymap;
  readonly monotonic: () => number;
  readonly hostName: string;
  /** Something that was loaded late changes the picture: paint everything again. */
  readonly repaint: () => void;
}

const NOTICE_MS = { info: 5000, good: 5000, warn: 12_000, bad: 20_000 } as const;
const MOST_NOTICES = 3;

/** In the order in which they are painted. */
const ORDER: readonly SurfaceId[] = [
  'header',
  'models',
  'machine',
  'strip',
  'transcript',
  'message',
  'log',
  'phase',
  'small',
];

export function createDashboard(options: DashboardOptions): Dashboard {
  const { screen, glyphs, keymap } = options;
  const logs = createLogWindow(options.monotonic);
  const panes = createPanes({ ...options, logs });
  const notices = noticeStack.create(glyphs);
  const surfaces = new Map<SurfaceId, Surface>(ORDER.map((id) => [id, screen.surface(id)]));
  const noticeSurface = screen.surface('notices');
  const overlay = createOverlayPane(screen, glyphs, keymap);
  const lastDeps = new Map<SurfaceId, readonly unknown[]>();
  const cursors = new Map<SurfaceId, CursorPosition | null>();
  const areas = new Map<string, Area | null>();
  const scroll = createScrolling({
    transcript: panes.transcript,
    logs,
    visibleLogLines: panes.visibleLogLines,
    machine: panes.machine,
    keymap,
    sizeOf: (id) => surfaces.get(id)?.size ?? { width: 0, height: 0 },
  });
  let arrangement: Arrangement | null = null;
  let arrangedFor: readonly unknown[] = [];
  let placedFor: readonly unknown[] = [];
  let noticesFor: readonly unknown[] = [];

  /** Lays out anew when something changed that moves a border. */
  function place(s: State): void {
    const { width, height } = screen.size;
    const inner = surfaces.get('message')?.size.width;
    const { view, prompt, hardware, models, settings, chat } = s;
    // What the height of the message box and of the gauges is made of.
    const deps = [
      ...[width, height, inner, view, prompt, hardware, models, settings],
      ...[chat.queue, chat.live === null, Math.floor(s.at / 1000)],
    ];
    if (isSame(deps, placedFor)) return;
    placedFor = deps;
    const messageWidth = inner || Math.max(20, width - 42);
    const messageRows = panes.messageRows(s, messageWidth, Math.max(1, Math.floor(height / 3)));
    const machineRows = machinePaneRows(s, glyphs);
    const wanted = [
      width,
      height,
      s.view.layout,
      s.view.zoomed,
      s.view.pane,
      messageRows,
      machineRows,
    ] as const;
    if (arrangement && isSame(wanted, arrangedFor)) return;
    arrangedFor = wanted;
    arrangement = arrange({
      width,
      height,
      layout: s.view.layout,
      zoomed: s.view.zoomed,
      pane: s.view.pane,
      messageRows,
      machineRows,
    });
    for (const id of ORDER) put(id, surfaces.get(id), arrangement.areas[id]);
  }

  function put(id: string, surface: Surface | undefined, area: Area | null): void {
    const before = areas.get(id);
    if (before !== undefined && sameArea(before, area)) return;
    areas.set(id, area);
    // A size that changed changes the rows.
    lastDeps.delete(id as SurfaceId);
    surface?.place(area);
  }

  function paintNotices(s: State): void {
    const fresh = s.notices
      .filter((n) => !n.over && s.mono - n.mono < NOTICE_MS[n.level])
      .slice(-MOST_NOTICES);
    const host =
      arrangement?.areas.transcript ??
      arrangement?.areas.log ??
      arrangement?.areas.models ??
      arrangement?.areas.machine ??
      null;
    const covered = s.view.overlays.length > 0 || host === null;
    const deps = [covered, host, ...fresh];
    if (isSame(deps, noticesFor)) return;
    noticesFor = deps;
    const rows = fresh.reduce((sum, n) => sum + (n.hint === null ? 1 : 2), 0);
    if (covered || rows === 0) return put('notices', noticeSurface, null);
    const height = Math.min(rows, host.height - 2);
    const area: Area = { x: host.x + 1, y: host.y + host.height - 1 - height, width: host.width - 2, height };
    put('notices', noticeSurface, area);
    noticeSurface.paint(notices.view({ notices: fresh, scrolled: 0, empty: '' }, area).rows);
  }

  function paintPane(id: SurfaceId, s: State): void {
    const surface = surfaces.get(id);
    if (!surface || !arrangement?.areas[id]) return;
    const pane = panes.views[id];
    const deps = pane.deps(s);
    const before = lastDeps.get(id);
    if (before && isSame(deps, before)) return;
    lastDeps.set(id, deps);
    const first = before === undefined;
    let painted = pane.show(s, surface.size);
    if (painted.frame) {
      surface.frame(painted.frame);
      // The first frame takes the border off the inner size.
      if (first) painted = pane.show(s, surface.size);
    }
    surface.paint(painted.view.rows, painted.view.scrolledBy);
    cursors.set(id, painted.view.cursor ?? null);
  }

  function placeCursor(s: State): void {
    const onOverlay = overlay.cursor();
    if (s.view.overlays.length > 0) return screen.cursor(onOverlay);
    const id: SurfaceId = s.view.filtering ? 'phase' : 'message';
    const area = arrangement?.areas[id] ?? null;
    const at = cursors.get(id) ?? null;
    if (!area || !at || (id === 'message' && s.view.pane !== 'message')) return screen.cursor(null);
    const border = id === 'message' ? 1 : 0;
    screen.cursor({ x: area.x + border + at.x, y: area.y + border + at.y });
  }

  return {
    paint(s) {
      place(s);
      for (const id of ORDER) paintPane(id, s);
      paintNotices(s);
      overlay.paint(s);
      placeCursor(s);
    },
    get shown() {
      return arrangement?.panes ?? [];
    },
    messageWidth: () => surfaces.get('message')?.size.width || promptTextWidth(80),
    listHeight: () => overlay.listHeight(),
    lastTop: () => overlay.lastTop(),
    get behind() {
      return logs.behind;
    },
    scroll,
    hit(s, x, y) {
      for (const pane of ['models', 'machine', 'transcript', 'message', 'log'] as const) {
        const area = arrangement?.areas[pane];
        if (!area || x < area.x || y < area.y || x >= area.x + area.width || y >= area.y + area.height)
          continue;
        return { pane, key: pane === 'models' ? modelKeyAt(s, y - area.y - 1) : null };
      }
      return null;
    },
  };

  function modelKeyAt(s: State, row: number): string | null {
    const keys = modelRowKeys(s);
    const height = surfaces.get('models')?.size.height ?? 0;
    return keys.length <= height ? (keys[row] ?? null) : null;
  }
}

function isSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sameArea(a: Area | null, b: Area | null): boolean {
  if (a === null || b === null) return a === b;
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
