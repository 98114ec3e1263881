import type {
  ChatTranscriptInstance,
  ChatTranscriptProps,
  TranscriptMove,
} from '../../widgets/chat-transcript.js';
import { formatClockSeconds } from '../../widgets/text/format.js';
import type { Size } from '../../widgets/text/span.js';
import { readJump } from '../domain/log-jump.js';
import type { AppEvent } from '../events/catalogue.js';
import type { State } from '../state/state.js';
import type { SurfaceId } from './arrange.js';
import { fallBackOffer } from './fall-back-offer.js';
import type { Keymap } from './keymap.js';
import type { LogWindow } from './log-window.js';
import type { MachinePane } from './machine-pane.js';
import { modelRowKeys } from './select-models.js';
import { transcriptEntries } from './transcript-entries.js';

type Publish = (event: AppEvent) => void;

export interface ScrollingContext {
  readonly transcript: ChatTranscriptInstance;
  readonly logs: LogWindow;
  /** Lines of the log that are on the screen, of those that the window gave. */
  readonly visibleLogLines: () => number;
  readonly machine: MachinePane;
  readonly keymap: Keymap;
  readonly sizeOf: (id: SurfaceId) => Size;
}

/** What scrolling means in each pane: it needs the rows as they are laid out, which only the widgets know. False: no command of scrolling. */
export function createScrolling(
  context: ScrollingContext,
): (state: State, command: string, publish: Publish) => boolean {
  const { transcript, logs, visibleLogLines, machine, sizeOf, keymap } = context;

  return (state, command, publish) => {
    const [pane, verb] = command.split('.');
    if (verb === undefined) return false;
    if (pane === 'transcript') return scrollTranscript(state, verb, publish);
    if (pane === 'log') return scrollLog(state, verb, publish);
    if (pane === 'machine') return scrollMachine(state, verb, publish);
    return pane === 'models' && moveInModels(state, verb, publish);
  };

  function scrollTranscript(s: State, verb: string, publish: Publish): boolean {
    const size = sizeOf('transcript');
    if (verb === 'match-nearest') return findInTranscript(s, [-1, 1], publish);
    if (verb === 'match-older' || verb === 'match-newer')
      return findInTranscript(s, [verb === 'match-older' ? -1 : 1], publish);
    const page = Math.max(1, size.height - 2);
    const moves: Readonly<Record<string, TranscriptMove>> = {
      up: { rows: -1 },
      down: { rows: 1 },
      'page-up': { rows: -page },
      'page-down': { rows: page },
      top: { to: 'start' },
      end: { to: 'end' },
      previous: { messages: -1 },
      next: { messages: 1 },
    };
    const move = moves[verb];
    if (!move) return false;
    publish({ type: 'transcript.scrolled', anchor: transcript.move(transcriptProps(s, keymap), size, move) });
    return true;
  }

  /** Goes to the next row that holds what is searched for, in the first of these directions that has one. */
  function findInTranscript(s: State, steps: readonly (-1 | 1)[], publish: Publish): boolean {
    const wanted = s.view.search.toLowerCase();
    if (wanted === '') return true;
    const props = transcriptProps(s, keymap);
    for (const step of steps) {
      const anchor = transcript.find(props, sizeOf('transcript'), wanted, step);
      if (anchor === null) continue;
      publish({ type: 'transcript.scrolled', anchor });
      return true;
    }
    const where = steps.length > 1 ? '' : steps[0] === 1 ? ' further down' : ' further up';
    publish({ type: 'notice.raised', level: 'info', text: `no "${s.view.search}"${where}`, hint: null });
    return true;
  }

  function scrollLog(s: State, verb: string, publish: Publish): boolean {
    const { height } = sizeOf('log');
    const page = Math.max(1, height - 1);
    if (verb === 'copy' || verb === 'copy-view') {
      const lines = logs.numbers(s.logs, verb === 'copy' ? 1 : visibleLogLines());
      publish({ type: 'logs.picked', lines });
      return true;
    }
    if (verb === 'to-time') {
      const at = readJump(s.view.filtering?.prompt.text ?? '', s.at);
      if (at === null) return false;
      publish({ type: 'logs.scrolled', line: logs.atTime(s.logs, at, height) });
      const oldest = logs.oldest(s.logs);
      if (oldest !== null && at < oldest)
        publish({
          type: 'notice.raised',
          level: 'info',
          text: `the log goes back to ${formatClockSeconds(oldest)} here`,
          hint: 'lmapp logs --lines N reads further back.',
        });
      return true;
    }
    const rows: Readonly<Record<string, number>> = {
      up: -1,
      down: 1,
      'page-up': -page,
      'page-down': page,
      top: -Number.MAX_SAFE_INTEGER,
    };
    const by = rows[verb];
    if (by === undefined && verb !== 'end') return false;
    publish({ type: 'logs.scrolled', line: by === undefined ? null : logs.scrolled(s.logs, by, height) });
    return true;
  }

  function scrollMachine(s: State, verb: string, publish: Publish): boolean {
    const { row, most, page } = machine.rows(s, sizeOf('machine'));
    const to: Readonly<Record<string, number>> = {
      up: row - 1,
      down: row + 1,
      'page-up': row - page,
      'page-down': row + page,
      top: 0,
      end: most,
    };
    const wanted = to[verb];
    if (wanted === undefined) return false;
    publish({ type: 'machine.scrolled', row: Math.max(0, Math.min(most, wanted)) });
    return true;
  }

  function moveInModels(s: State, verb: string, publish: Publish): boolean {
    // A pull has two rows and one key.
    const keys = [...new Set(modelRowKeys(s))];
    const at = Math.max(0, keys.indexOf(s.models.cursor ?? ''));
    const to: Readonly<Record<string, number>> = { up: at - 1, down: at + 1, top: 0, end: keys.length - 1 };
    const wanted = to[verb];
    if (wanted === undefined) return false;
    const key = keys[Math.max(0, Math.min(keys.length - 1, wanted))];
    if (key !== undefined) publish({ type: 'pane.selected', pane: 'models', key });
    return true;
  }
}

export function transcriptProps(state: State, keymap: Keymap): ChatTranscriptProps {
  const { anchor, pane, search } = state.view;
  return {
    entries: transcriptEntries(state.chat, fallBackOffer(state, keymap)),
    anchor,
    search: pane === 'transcript' ? search.toLowerCase() : '',
  };
}
