import { form } from '../../widgets/form.js';
import { keysHelp, type KeysSection } from '../../widgets/keys-help.js';
import { listPicker, pickerTitle } from '../../widgets/list-picker.js';
import { noticeList } from '../../widgets/notices.js';
import { question } from '../../widgets/question.js';
import { formatClock, formatClockSeconds, formatCount } from '../../widgets/text/format.js';
import { span, type CursorPosition, type Row, type Size } from '../../widgets/text/span.js';
import type { Glyphs, View } from '../../widgets/widget.js';
import type { ServerOrigin } from '../domain/model.js';
import { backendById, type BackendEntry, type Overlay, type State } from '../state/state.js';
import type { Area, TerminalScreen } from '../terminal/terminal.js';
import { answerDetailRows } from './answer-details.js';
import { detailRows, factRows, preferredFacts, type Fact } from './details-overlay.js';
import { keyLabel, type Keymap, type Where } from './keymap.js';
import { sourceFacts } from './log-sources.js';
import { overlayItems } from './overlay-items.js';
import { pullFormProps } from './pull-overlay.js';
import { serverFormHint, serverFormProps } from './server-overlay.js';

export interface OverlayPane {
  paint(state: State): void;
  cursor(): CursorPosition | null;
  listHeight(): number;
  /** The last row that can stand at the top of what is scrolled. */
  lastTop(): number;
}

interface Shown {
  readonly title: Row;
  /** Rows that it wants, without border. */
  readonly height: number;
  view(size: Size): View;
}

const WIDTH = 76;
const SCROLLS = 'Up and Down scroll, Esc closes';

/** The one overlay that is open on top of the panes. */
export function createOverlayPane(screen: TerminalScreen, glyphs: Glyphs, keymap: Keymap): OverlayPane {
  const surface = screen.surface('overlay');
  const picker = listPicker.create(glyphs);
  const help = keysHelp.create(glyphs);
  const notices = noticeList.create(glyphs);
  const ask = question.create(glyphs);
  const fields = form.create(glyphs);
  let area: Area | null = null;
  let cursor: CursorPosition | null = null;
  let shownRows = 0;
  let lastDeps: readonly unknown[] = [];

  function show(state: State, top: Overlay, width: number): Shown {
    if (top.question) {
      const props = {
        lines: top.question.lines,
        choices: top.question.choices,
        focused: Math.min(top.index, top.question.choices.length - 1),
      };
      return {
        title: plain(top.question.title),
        height: ask.desiredHeight(props, width),
        view: (size) => ask.view(props, size),
      };
    }
    if (top.form) {
      const props = serverFormProps(state, top.form, top.index);
      return {
        title: pickerTitle('Add a server', serverFormHint(top.form), glyphs),
        height: fields.desiredHeight(props, width),
        view: (size) => fields.view(props, size),
      };
    }
    switch (top.id) {
      case 'keys': {
        const sections = keySections(keymap, state.view.pane);
        const rows = help.rowCount({ sections, top: 0 }, width);
        return {
          title: pickerTitle('Keys', SCROLLS, glyphs),
          height: rows,
          view: (size) => help.view({ sections, top: top.index }, size),
        };
      }
      case 'notices': {
        const props = { notices: state.notices, scrolled: top.index, empty: 'nothing was told yet' };
        return {
          title: pickerTitle('Notices', SCROLLS, glyphs),
          height: Math.max(1, notices.rowCount(props, width)),
          view: (size) => notices.view(props, size),
        };
      }
      case 'answer': {
        const title = pickerTitle('About this answer', SCROLLS, glyphs);
        return scrolledRows(title, answerDetailRows(state, top.subject, width, glyphs), top.index);
      }
      case 'details': {
        const server = backendById(state, top.subject ?? '');
        const rows = server
          ? factRows(serverFacts(state, server), width, glyphs)
          : detailRows(state, top.subject, width, glyphs);
        return scrolledRows(pickerTitle('Details', SCROLLS, glyphs), rows, top.index);
      }
      case 'sources': {
        const rows = factRows(sourceFacts(state.logs), width, glyphs);
        return scrolledRows(pickerTitle('Sources of the log', SCROLLS, glyphs), rows, top.index);
      }
      case 'pull': {
        const props = pullFormProps(state, top);
        return {
          title: pickerTitle('Pull a model', 'Enter pulls it, Esc closes', glyphs),
          height: fields.desiredHeight(props, width),
          view: (size) => fields.view(props, size),
        };
      }
      default:
        return list(state, top);
    }
  }

  function list(state: State, top: Overlay): Shown {
    const items = overlayItems(state, top, keymap);
    const words = LISTS[top.id] ?? { title: '', hint: '', placeholder: '', empty: '' };
    const props = {
      items: items.picked,
      total: items.total,
      index: top.index,
      query: top.query.text,
      cursor: top.query.cursor,
      placeholder: words.placeholder,
      empty: items.total === 0 ? words.empty : 'nothing matches',
    };
    return {
      title: pickerTitle(words.title, words.hint, glyphs),
      height: Math.max(2, items.total + 1),
      view: (size) => picker.view(props, size),
    };
  }

  return {
    paint(state) {
      const top = state.view.overlays.at(-1) ?? null;
      const { width, height } = screen.size;
      const deps = [
        top,
        width,
        height,
        top ? state.models : null,
        top ? state.chat.chats : null,
        top?.id === 'menu' ? state.chat.done : null,
        top ? state.notices : null,
        top?.id === 'sources' ? state.logs.opened : null,
        ...(top?.id === 'answer' ? [state.chat.done, state.chat.live, Math.floor(state.mono / 1000)] : []),
        state.view.pane,
        // Times that stand in details.
        top?.id === 'details' ? Math.floor(state.at / 1000) : 0,
      ];
      if (deps.length === lastDeps.length && deps.every((d, i) => d === lastDeps[i])) return;
      lastDeps = deps;
      if (!top) {
        if (area) surface.place(null);
        area = null;
        cursor = null;
        return;
      }
      const outer = Math.min(WIDTH, width - 2);
      const shown = show(state, top, outer - 2);
      const rows = Math.max(1, Math.min(shown.height, height - 4));
      shownRows = shown.height;
      // Lists keep their place while they are filtered; the top edge stands still.
      const y = Math.max(0, Math.min(Math.floor((height - rows - 2) / 3), height - rows - 2));
      const next: Area = { x: Math.floor((width - outer) / 2), y, width: outer, height: rows + 2 };
      if (!area || JSON.stringify(area) !== JSON.stringify(next)) surface.place(next);
      area = next;
      surface.frame({ border: true, focused: true, title: shown.title, footer: null });
      const view = shown.view({ width: outer - 2, height: rows });
      surface.paint(view.rows);
      cursor = view.cursor ? { x: next.x + 1 + view.cursor.x, y: next.y + 1 + view.cursor.y } : null;
    },
    cursor: () => cursor,
    listHeight: () => Math.max(1, (area?.height ?? 3) - 3),
    lastTop: () => lastTop(shownRows, (area?.height ?? 2) - 2),
  };
}

const LISTS: Readonly<
  Partial<Record<Overlay['id'], { title: string; hint: string; placeholder: string; empty: string }>>
> = {
  menu: {
    title: 'Menu',
    hint: 'Enter does it, Esc closes',
    placeholder: 'type to find a command',
    empty: '',
  },
  models: {
    title: 'Model for the next message',
    hint: 'Enter takes it',
    placeholder: 'type to find a model',
    empty: 'no model yet: start a server, e.g. "ollama serve"',
  },
  chats: {
    title: 'Earlier chats',
    hint: 'Enter opens it',
    placeholder: 'type to find a chat',
    empty: 'no chat was kept yet',
  },
  catalogue: {
    title: 'Small models for this machine',
    hint: 'Enter fetches it',
    placeholder: 'type to find a model',
    empty: '',
  },
};

const WHERE_TITLES: Readonly<Record<Where, string>> = {
  everywhere: 'Everywhere',
  message: 'Message',
  transcript: 'Transcript',
  models: 'Models',
  machine: 'Machine',
  log: 'Log',
  list: 'Lists and menus',
};

/** The keys of the present pane first, then everywhere, then the others. */
export function keySections(keymap: Keymap, pane: Where): readonly KeysSection[] {
  const places = [
    ...new Set<Where>([pane, 'everywhere', 'message', 'transcript', 'models', 'machine', 'log', 'list']),
  ];
  return places.map((where) => ({
    title: WHERE_TITLES[where],
    entries: keymap.bindings
      .filter((b) => b.where === where && b.keys.length > 0)
      .map((b) => ({ keys: b.keys.map(keyLabel), does: b.does })),
  }));
}

/** Rows that may be more than there is room for. */
function scrolledRows(title: Row, rows: readonly Row[], top: number): Shown {
  return {
    title,
    height: rows.length,
    view({ height }) {
      const from = Math.min(top, lastTop(rows.length, height));
      return { rows: rows.slice(from, from + height) };
    },
  };
}

function lastTop(rows: number, height: number): number {
  return Math.max(0, rows - height);
}

const ORIGINS: Readonly<Record<ServerOrigin, string>> = {
  run: 'this run (--url)',
  configuration: 'the configuration',
  environment: 'the environment (OLLAMA_HOST)',
  found: 'the search on this machine',
  installed: 'its program, which is on this machine',
  embedded: 'lmapp, whose engine is installed',
  mock: 'lmapp',
};

function serverFacts(state: State, entry: BackendEntry): readonly Fact[] {
  const { info, check, models, origin, nextTryMs } = entry;
  const { status } = check;
  const away: readonly Fact[] =
    status.state === 'away'
      ? [
          ['since', formatClock(status.sinceMs)],
          ['reason', status.fault.message],
          ['next step', status.fault.hint ?? '—'],
          ['asked again', nextTryMs === null ? '—' : `${formatClockSeconds(nextTryMs)}, F5 asks at once`],
        ]
      : [];
  return [
    ['server', info.title],
    ['address', info.url === '' ? '—' : info.url],
    ['version', check.version ?? '—'],
    ['comes from', ORIGINS[origin]],
    ['state', status.state],
    ...away,
    ...preferredFacts(state, entry),
    ['models', formatCount(models.length)],
    ['requests in work', formatCount(check.processing)],
    ['requests waiting', formatCount(check.queued)],
    ['loads and unloads', info.features.load ? 'yes, l and u' : 'no'],
  ];
}

function plain(text: string): Row {
  return { spans: [span(text, 'title')] };
}
