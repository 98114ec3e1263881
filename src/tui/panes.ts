import { chatTranscript, rowsBelowMark } from '../../widgets/chat-transcript.js';
import { header } from '../../widgets/header.js';
import { logTail, logTitle } from '../../widgets/log-tail.js';
import { machineStrip, machineTitle } from '../../widgets/machine.js';
import { modelList } from '../../widgets/model-list.js';
import { messageTitle, phaseBar } from '../../widgets/phase-bar.js';
import { promptEditor } from '../../widgets/prompt-editor.js';
import { fitRow } from '../../widgets/rows.js';
import { span, type Row, type Size } from '../../widgets/text/span.js';
import { tooSmall } from '../../widgets/too-small.js';
import { waysOn } from '../../widgets/ways-on.js';
import type { Glyphs, View } from '../../widgets/widget.js';
import { THIS_MACHINE } from '../domain/hardware.js';
import { machineName } from '../domain/machine-name.js';
import { SMALLEST } from '../domain/smallest-screen.js';
import type { PaneId } from '../events/catalogue.js';
import { hardStop, isIdleNews } from '../state/aftermath.js';
import { shownMachine } from '../state/machines.js';
import { secondsToWait } from '../state/retry-after.js';
import type { State } from '../state/state.js';
import type { Frame } from '../terminal/terminal.js';
import type { SurfaceId } from './arrange.js';
import { emptyChatRows } from './empty-chat.js';
import { fallBackOffer } from './fall-back-offer.js';
import { filterLine } from './filter-line.js';
import type { Keymap } from './keymap.js';
import type { LogWindow } from './log-window.js';
import { createMachinePane, type MachinePane } from './machine-pane.js';
import { transcriptProps } from './scrolling.js';
import { selectHeader, selectPhaseBar } from './select-chat.js';
import { selectMachine } from './select-machine.js';
import { selectModels } from './select-models.js';
import { shownPrompt } from './shown-prompt.js';
import { selectWays } from './ways.js';

/** What a surface shows: its rows, and its frame when it has one. */
export interface Painted {
  readonly view: View;
  readonly frame?: Frame;
}

export interface PaneView {
  /** Everything that the pane is made of: the very same values, the very same picture. */
  deps(state: State): readonly unknown[];
  show(state: State, size: Size): Painted;
}

export interface PanesOptions {
  readonly glyphs: Glyphs;
  readonly keymap: Keymap;
  readonly hostName: string;
  readonly logs: LogWindow;
  readonly repaint: () => void;
}

export interface Panes {
  readonly views: Readonly<Record<SurfaceId, PaneView>>;
  readonly transcript: ReturnType<typeof chatTranscript.create>;
  readonly machine: MachinePane;
  visibleLogLines(): number;
  /** Rows that the text of the message box takes. */
  messageRows(state: State, width: number, most: number): number;
}

/** What stands on each surface, and what of the state it is made of. */
export function createPanes({ glyphs, keymap, hostName, logs, repaint }: PanesOptions): Panes {
  const transcript = chatTranscript.create(glyphs);
  const editor = promptEditor.create(glyphs);
  const widgets = {
    header: header.create(glyphs),
    models: modelList.create(glyphs),
    machine: createMachinePane(glyphs, repaint),
    strip: machineStrip.create(glyphs),
    log: logTail.create(glyphs),
    phase: phaseBar.create(glyphs),
    small: tooSmall.create(glyphs),
    ways: waysOn.create(glyphs),
  };

  const views: Readonly<Record<SurfaceId, PaneView>> = {
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
        frame: framed(s, 'models', title('Models'), size),
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
        s.view.machineRow,
      ],
      show: (s, size) => ({
        view: widgets.machine.view(s, size),
        frame: framed(s, 'machine', machineTitle(hostOf(s), glyphs), size),
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
        s.view.search,
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
        frame: framed(s, 'message', messageTitle(messageHints(s), glyphs), size),
      }),
    },
    log: {
      deps: (s) => [s.logs, s.view.pane, logs.behind ? {} : null],
      show: (s, size) => ({
        view: widgets.log.view(logs.props(s.logs, size.height), size),
        frame: framed(s, 'log', logTitle(logs.title(s.logs), glyphs), size),
      }),
    },
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
        s.chat.live ? Math.floor(s.mono / 1000) : secondsToWait(s, s.mono),
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
    const { text, chips, shownOffset } = shownPrompt(s.prompt);
    return {
      text,
      chips,
      cursor: shownOffset(s.prompt.cursor),
      placeholder: s.view.pane === 'message' ? 'Ask something' : '',
    };
  }

  function messageHints(s: State): readonly string[] {
    if (s.chat.live) return [`${keymap.keyOf('message.send')} sends it after this answer`];
    return [`${keymap.keyOf('message.send')} sends`, `${keymap.keyOf('edit.newline')} new line`];
  }

  /** The title has a blank on either side, and a sign where its end is missing. */
  function framed(s: State, pane: PaneId, { spans }: Row, { width }: Size): Frame {
    const shown = fitRow(spans, Math.max(0, width - 2), glyphs.ellipsis);
    return { border: true, focused: s.view.pane === pane, title: shown, footer: null };
  }

  /** The machine that the pane shows. */
  function hostOf(s: State): string {
    const machine = shownMachine(s);
    return machine === THIS_MACHINE ? hostName : machineName(machine);
  }

  return {
    views,
    transcript,
    machine: widgets.machine,
    visibleLogLines: () => widgets.log.visibleLines,
    messageRows: (s, width, most) => editor.desiredHeight(editorProps(s), width, most),
  };
}

function title(text: string): Row {
  return { spans: [span(text, 'title')] };
}
