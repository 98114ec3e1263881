import { chatTranscript, rowsBelowMark } from '../../widgets/chat-transcript.js';
import { header } from '../../widgets/header.js';
import { logTail, logTitle } from '../../widgets/log-tail.js';
import { machineStrip, machineTitle } from '../../widgets/machine.js';
import { modelList } from '../../widgets/model-list.js';
import { noticeStack } from '../../widgets/notices.js';
import { messageTitle, phaseBar } from '../../widgets/phase-bar.js';
import { promptEditor, promptTextWidth } from '../../widgets/prompt-editor.js';
import { span, type CursorPosition, type Row, type Size } from '../../widgets/text/span.js';
import { tooSmall } from '../../widgets/too-small.js';
import { waysOn } from '../../widgets/ways-on.js';
import type { Glyphs, View } from '../../widgets/widget.js';
import { THIS_MACHINE } from '../domain/hardware.js';
import { machineName } from '../domain/machine-name.js';
import { SMALLEST } from '../domain/smallest-screen.js';
import type { AppEvent, PaneId } from '../events/catalogue.js';
import { hardStop, isIdleNews } from '../state/aftermath.js';
import { shownMachine } from '../state/machines.js';
import type { State } from '../state/state.js';
import type { Area, Frame, Surface, TerminalScreen } from '../terminal/terminal.js';
import { arrange, type Arrangement, type SurfaceId } from './arrange.js';
import type { Keymap } from './keymap.js';
import { createLogWindow } from './log-window.js';
import { createOverlayPane } from './overlay-pane.js';
import { createMachinePane, machinePaneRows } from './machine-pane.js';
import { emptyChatRows } from './empty-chat.js';
import { fallBackOffer } from './fall-back-offer.js';
import { filterLine } from './filter-line.js';
import { selectHeader, selectPhaseBar } from './select-chat.js';
import { selectMachine } from './select-machine.js';
import { modelRowKeys, selectModels } from './select-models.js';
import { createScrolling, transcriptProps } from './scrolling.js';
import { selectWays } from './ways.js';

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

/** What a surface shows: its rows, and its frame when it has one. */
interface Painted {
  readonly view: View;
  readonly frame?: Frame;
}

interface PaneView {
  /** Everything that the pane is made of: the very same values, the very same picture. */
  deps(state: State): readonly unknown[];
  show(state: State, size: Size): Painted;
}

export function createDashboard(options: DashboardOptions): Dashboard {
  const { screen, glyphs, keymap } = options;
  const logs = createLogWindow(options.monotonic);
  const transcript = chatTranscript.create(glyphs);
  const editor = promptEditor.create(glyphs);
  const widgets = {
    header: header.create(glyphs),
    models: modelList.create(glyphs),
    machine: createMachinePane(glyphs, options.repaint),
    strip: machineStrip.create(glyphs),
    log: logTail.create(glyphs),
    phase: phaseBar.create(glyphs),
    small: tooSmall.create(glyphs),
    notices: noticeStack.create(glyphs),
    ways: waysOn.create(glyphs),
  };

  const panes: Readonly<Record<SurfaceId, PaneView>> = {
    header: {
      deps: (s) => [
        s.models,
        s.chat.done,
        s.chat.shownPieces,
        s.chat.title,
        s.chat.live?.usage,
        s.chat.live?.truncation,
        s.chat.queue,
        s.chat.dropped,
        s.prompt.text,
        s.settings,
      ],
      show: (s, size) => ({ view: widgets.header.view(selectHeader(s), size) }),
    },
    models: {
      deps: (s) => [s.models, s.hardware.machines, Math.floor(s.at / 1000), s.view.pane],
      show: (s, size) => ({
        view: widgets.models.view(selectModels(s, size.height), size),
        frame: framed(s, 'models', title('Models')),
      }),
    },
    machine: {
      deps: (s) => [
        s.hardware,
        s.models,
        s.chat.done,
        s.chat.live === null,
        Math.floor(s.mono / 1000),
        s.view.pane,
        s.view.focused,
      ],
      show: (s, size) => ({
        view: widgets.machine.view(s, size),
        frame: framed(s, 'machine', machineTitle(hostOf(s), glyphs)),
      }),
    },
    strip: {
      deps: (s) => [s.hardware, shownMachine(s), Math.floor(s.mono / 1000), s.view.focused],
      show: (s, size) => ({ view: widgets.strip.view(selectMachine(s), size) }),
    },
    transcript: {
      deps: (s) => [
        s.chat.done,
        s.chat.live,
        s.chat.queue,
        s.chat.unfolded,
        s.chat.dropped,
        s.view.anchor,
        s.view.pane,
        s.chat.title,
        s.models,
        s.view.waysIndex,
        s.setUp,
      ],
      show: showTranscript,
    },
    message: {
      deps: (s) => [s.prompt, s.view.pane, s.chat.live === null, s.chat.queue],
      show: (s, size) => ({
        view: editor.view(editorProps(s), size),
        frame: framed(s, 'message', messageTitle(messageHints(s), glyphs)),
      }),
    },
    log: {
      deps: (s) => [s.logs, s.view.pane, logs.behind ? {} : null],
      show: (s, size) => ({
        view: widgets.log.view(logs.props(s.logs, size.height), size),
        frame: framed(s, 'log', logTitle(logs.title(s.logs), glyphs)),
      }),
    },
    filter: { deps: () => [], show: () => ({ view: { rows: [] } }) },
    phase: {
      deps: (s) => [
        s.chat.live?.phases,
        s.chat.live?.prefill,
        s.chat.live?.loadProgress,
        s.chat.live?.queuePosition,
        s.chat.live?.phase === 'loading' ? s.models.backends : null,
        s.chat.live?.usage,
        s.chat.shownPieces,
        s.chat.done,
        s.view.filtering,
        s.view.pane,
        s.logs.turn !== null,
        s.chat.live ? Math.floor(s.mono / 1000) : 0,
        isIdleNews(s),
        hardStop(s),
        fallBackOffer(s, keymap),
        s.models.selected,
        s.models.searched,
        s.setUp.job,
      ],
      show: (s, size) => ({
        view: s.view.filtering
          ? filterLine(s.view.filtering, s.at, size, glyphs)
          : widgets.phase.view(selectPhaseBar(s, keymap), size),
      }),
    },
    small: {
      deps: () => [],
      show: (_s, size) => ({
        view: widgets.small.view({ neededWidth: SMALLEST.width, neededHeight: SMALLEST.height }, size),
      }),
    },
  };

  const order: readonly SurfaceId[] = [
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
  const surfaces = new Map<SurfaceId, Surface>(order.map((id) => [id, screen.surface(id)]));
  const noticeSurface = screen.surface('notices');
  const overlay = createOverlayPane(screen, glyphs, keymap);
  const lastDeps = new Map<SurfaceId, readonly unknown[]>();
  const cursors = new Map<SurfaceId, CursorPosition | null>();
  const areas = new Map<string, Area | null>();
  const scroll = createScrolling({
    transcript,
    logs,
    visibleLogLines: () => widgets.log.visibleLines,
    keymap,
    sizeOf: (id) => surfaces.get(id)?.size ?? { width: 0, height: 0 },
  });
  let arrangement: Arrangement | null = null;
  let arrangedFor: readonly unknown[] = [];
  let noticesFor: readonly unknown[] = [];

  function showTranscript(s: State, size: Size): Painted {
    const focused = s.view.pane === 'transcript';
    const label = s.chat.title || 'new chat';
    const ways = selectWays(s);
    if (ways) {
      const view = widgets.ways.view(
        {
          title: ways.title,
          ways: ways.ways,
          focused: Math.min(s.view.waysIndex, ways.ways.length - 1),
          hint: ways.hint,
        },
        size,
      );
      return { view, frame: { border: true, focused, title: title(label), footer: null } };
    }
    if (s.chat.done.length === 0 && !s.chat.live && s.chat.queue.length === 0) {
      const rows = emptyChatRows(s, size.width, glyphs, keymap).slice(0, size.height);
      return { view: { rows }, frame: { border: true, focused, title: title(label), footer: null } };
    }
    const view = transcript.view(transcriptProps(s, keymap), size);
    return {
      view,
      frame: { border: true, focused, title: title(label), footer: rowsBelowMark(view.rowsBelow, glyphs) },
    };
  }

  function editorProps(s: State) {
    return {
      text: s.prompt.text,
      cursor: s.prompt.cursor,
      placeholder: s.view.pane === 'message' ? 'Ask something' : '',
    };
  }

  function messageHints(s: State): readonly string[] {
    if (s.chat.live) return [`${keymap.keyOf('message.send')} sends it after this answer`];
    return [`${keymap.keyOf('message.send')} sends`, `${keymap.keyOf('edit.newline')} new line`];
  }

  function framed(s: State, pane: PaneId, paneTitle: Row): Frame {
    return { border: true, focused: s.view.pane === pane, title: paneTitle, footer: null };
  }

  /** Lays out anew when something changed that moves a border. */
  function place(s: State): void {
    const { width, height } = screen.size;
    const messageWidth = surfaces.get('message')?.size.width || Math.max(20, width - 42);
    const messageRows = editor.desiredHeight(
      editorProps(s),
      messageWidth,
      Math.max(1, Math.floor(height / 3)),
    );
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
    if (arrangement && wanted.every((v, i) => v === arrangedFor[i])) return;
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
    for (const id of order) put(id, surfaces.get(id), arrangement.areas[id]);
  }

  function put(id: string, surface: Surface | undefined, area: Area | null): void {
    const before = areas.get(id);
    if (before !== undefined && sameArea(before, area)) return;
    areas.set(id, area);
    // A size that changed changes the rows.
    lastDeps.delete(id as SurfaceId);
    surface?.place(area);
  }

  /** The machine that the pane shows. */
  function hostOf(s: State): string {
    const machine = shownMachine(s);
    return machine === THIS_MACHINE ? options.hostName : machineName(machine);
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
    if (deps.length === noticesFor.length && deps.every((d, i) => d === noticesFor[i])) return;
    noticesFor = deps;
    const rows = fresh.reduce((sum, n) => sum + (n.hint === null ? 1 : 2), 0);
    if (covered || rows === 0) return put('notices', noticeSurface, null);
    const height = Math.min(rows, host.height - 2);
    const area: Area = { x: host.x + 1, y: host.y + host.height - 1 - height, width: host.width - 2, height };
    put('notices', noticeSurface, area);
    noticeSurface.paint(widgets.notices.view({ notices: fresh, scrolled: 0, empty: '' }, area).rows);
  }

  function paintPane(id: SurfaceId, s: State): void {
    const surface = surfaces.get(id);
    if (!surface || !arrangement?.areas[id]) return;
    const pane = panes[id];
    const deps = pane.deps(s);
    const before = lastDeps.get(id);
    if (before && deps.every((d, i) => d === before[i])) return;
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
      for (const id of order) paintPane(id, s);
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

  function title(text: string): Row {
    return { spans: [span(text, 'title')] };
  }
}

function sameArea(a: Area | null, b: Area | null): boolean {
  if (a === null || b === null) return a === b;
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
