import { offsetOfRowEdge, offsetOfRowMove } from '../../widgets/prompt-editor.js';
import type { AppEvent, Edit, PaneId } from '../events/catalogue.js';
import { choicesOf, type ServerForm } from '../state/server-form.js';
import type { Overlay, State } from '../state/state.js';
import { PANE_ORDER } from '../state/view.js';
import type { TerminalInput } from '../terminal/terminal.js';
import { EDITS } from './edits.js';
import type { Keymap, Where } from './keymap.js';
import { overlayItems } from './overlay-items.js';
import { shownPrompt } from './shown-prompt.js';

/** What the input needs to know of the layout. */
export interface InputContext {
  readonly state: () => State;
  readonly keymap: Keymap;
  readonly publish: (event: AppEvent) => void;
  /** Inner width of the message box. */
  readonly messageWidth: () => number;
  /** Rows of a list overlay that are visible. */
  readonly listHeight: () => number;
  /** The last row that can stand at the top of an overlay that has no rows to choose. */
  readonly lastTop: () => number;
  /** Scrolls a pane; true when the command was one of scrolling. */
  readonly scroll: (command: string) => boolean;
  /** The ways on are on the screen; their events, in order. */
  readonly ways: () => readonly AppEvent[];
  /** What stands at a cell: a pane, and the key of its row. */
  readonly hit: (x: number, y: number) => { readonly pane: PaneId; readonly key: string | null } | null;
}

/** Turns what was pressed into events. All meaning of keys is in the keymap; only text and rows of the screen are dealt with here. */
export function createInput(context: InputContext): (input: TerminalInput) => void {
  const { publish, keymap } = context;

  return (input) => {
    const state = context.state();
    switch (input.type) {
      case 'focus':
        return publish({ type: 'screen.focused', focused: input.focused });
      case 'mouse':
        return onMouse(state, input);
      case 'paste':
        return edit(state, { op: 'paste', text: input.text });
      case 'key':
        return onKey(state, input.key, input.text);
    }
  };

  function onKey(state: State, key: string, text: string): void {
    const top = state.view.overlays.at(-1);
    if (top) return onOverlayKey(state, top, key, text);
    if (state.view.filtering) return onLineKey(state, key, text, () => closeLine(state));
    const where: Where = state.view.pane;
    if (where === 'message' && onMessageKey(state, key, text)) return;
    const command = keymap.find(where, key);
    if (command) return invoke(state, command);
    // Typing in another pane goes to the message: nobody should lose a sentence to a wrong focus. Single letters are keys there.
    if (where !== 'message' && text.length > 1) edit(state, { op: 'insert', text });
  }

  /** Enter: a filter stays; a time is gone to when it is one, and so is the nearest match of a search. */
  function closeLine(state: State): void {
    const { filtering } = state.view;
    if (filtering?.asksTime && !context.scroll('log.to-time')) return;
    publish({ type: 'filter.closed' });
    if (filtering?.pane === 'transcript') context.scroll('transcript.match-nearest');
  }

  function onMessageKey(state: State, key: string, text: string): boolean {
    const { prompt } = state;
    const ways = context.ways();
    if (ways.length > 0 && prompt.text === '' && (key === 'up' || key === 'down' || key === 'enter')) {
      const index = Math.min(state.view.waysIndex, ways.length - 1);
      const chosen = ways[index];
      if (key !== 'enter')
        publish({
          type: 'ways.moved',
          index: (index + (key === 'down' ? 1 : ways.length - 1)) % ways.length,
        });
      else if (chosen) publish(chosen);
      return true;
    }
    // A backslash before Enter is a new line: works in every terminal.
    if (key === 'enter' && prompt.text[prompt.cursor - 1] === '\\') {
      edit(state, { op: 'delete', by: 'char', direction: -1 });
      edit(state, { op: 'insert', text: '\n' });
      return true;
    }
    if (text !== '' && keymap.find('message', key) === null) {
      edit(state, { op: 'insert', text });
      return true;
    }
    return false;
  }

  function onOverlayKey(state: State, top: Overlay, key: string, text: string): void {
    if (top.question) return onQuestionKey(state, top, key);
    if (top.form) return onFormKey(state, top, top.form, key, text);
    const items = overlayItems(state, top, keymap);
    const command = keymap.find('list', key);
    const page = Math.max(1, context.listHeight() - 1);
    const moves: Readonly<Record<string, number>> = {
      'list.up': -1,
      'list.down': 1,
      'list.page-up': -page,
      'list.page-down': page,
    };
    const by = command ? moves[command] : undefined;
    if (by !== undefined) {
      // Help and notices have no rows to choose; there the index is the first row shown.
      const count = items.picked.length;
      const last = count > 0 ? count - 1 : context.lastTop();
      const at = Math.min(top.index, last);
      const wraps = count > 0 && Math.abs(by) === 1;
      const to = wraps ? (at + by + count) % count : Math.min(last, Math.max(0, at + by));
      return publish({ type: 'overlay.moved', index: to });
    }
    if (command === 'list.choose') {
      const event = items.eventOf(top.index);
      // There is no name yet.
      if (top.id === 'pull' && event === null) return;
      publish({ type: 'overlay.closed' });
      if (event) publish(event);
      return;
    }
    if (
      (top.id === 'keys' && (key === '?' || key === 'q')) ||
      ((top.id === 'answer' || top.id === 'sources') && (key === 'i' || key === 'q'))
    )
      return publish({ type: 'overlay.closed' });
    onLineKey(state, key, text, () => undefined);
  }

  function onQuestionKey(state: State, top: Overlay, key: string): void {
    const choices = top.question?.choices ?? [];
    const direct = choices.findIndex((c) => c.key === key.toLowerCase());
    if (direct >= 0) return publish({ type: 'question.answered', choice: direct });
    if (key === 'enter')
      return publish({ type: 'question.answered', choice: Math.min(top.index, choices.length - 1) });
    const step =
      key === 'left' || key === 'up' || key === 'shift+tab'
        ? -1
        : key === 'right' || key === 'down' || key === 'tab'
          ? 1
          : 0;
    if (step !== 0 && choices.length > 0)
      return publish({ type: 'overlay.moved', index: (top.index + step + choices.length) % choices.length });
    const command = keymap.find('list', key);
    // Leaving a question never does anything that cannot be undone.
    const leave = top.question?.leave ?? 0;
    if (command === 'escape') return publish({ type: 'question.answered', choice: leave });
    if (command === 'interrupt')
      return publish({ type: 'question.answered', choice: top.question?.interrupted ?? leave });
    if (command === 'screen.redraw' || command === 'app.suspend') invoke(state, command);
  }

  /** A form is a line to type in, and then choices. */
  function onFormKey(state: State, top: Overlay, form: ServerForm, key: string, text: string): void {
    const submit = (): void => publish({ type: 'command.invoked', command: 'server.submit' });
    if (form.step !== 'result') return onLineKey(state, key, text, submit);
    const command = keymap.find('list', key);
    if (command === 'list.choose') return submit();
    if (command === 'list.up' || command === 'list.down') {
      const count = choicesOf(state, form).length;
      const by = command === 'list.up' ? -1 : 1;
      return publish({ type: 'overlay.moved', index: (top.index + by + count) % count });
    }
    if (command && !command.startsWith('list.')) invoke(state, command);
  }

  /** A one-line input: a filter or the query of a picker. */
  function onLineKey(state: State, key: string, text: string, done: () => void): void {
    if (key === 'enter') return done();
    const command = keymap.find('message', key);
    const known = command ? EDITS[command] : undefined;
    if (known && command !== 'edit.newline') return edit(state, known);
    const everywhere = keymap.find('list', key);
    if (everywhere && !everywhere.startsWith('list.')) return invoke(state, everywhere);
    if (text !== '') edit(state, { op: 'insert', text });
  }

  /** Edits what has the focus: the query of an overlay, a filter, or the message. */
  function edit(state: State, change: Edit): void {
    const oneLine: Edit =
      'text' in change ? { ...change, text: change.text.replace(/\s*\n\s*/g, ' ') } : change;
    const top = state.view.overlays.at(-1);
    if (top) {
      // What is typed as a key is an event of its own, so that nobody has to look what it was typed for.
      if (top.form)
        publish({ type: top.form.step === 'key' ? 'secret.edited' : 'overlay.edited', edit: oneLine });
      else if (
        !top.question &&
        (top.id === 'menu' ||
          top.id === 'models' ||
          top.id === 'chats' ||
          top.id === 'pull' ||
          top.id === 'catalogue')
      )
        publish({ type: 'overlay.edited', edit: oneLine });
    } else if (state.view.filtering) publish({ type: 'filter.edited', edit: oneLine });
    else {
      if (state.view.pane !== 'message') publish({ type: 'pane.focused', pane: 'message' });
      publish({ type: 'prompt.edited', edit: change });
    }
  }

  function invoke(state: State, command: string): void {
    const known = EDITS[command];
    if (known) return edit(state, known);
    if (context.scroll(command)) return;
    switch (command) {
      case 'pane.next':
        return publish({ type: 'pane.focused', pane: neighbourPane(state, 1) });
      case 'pane.previous':
        return publish({ type: 'pane.focused', pane: neighbourPane(state, -1) });
      case 'message.send':
        return publish({ type: 'prompt.submitted' });
      case 'message.quit-if-empty':
        if (state.prompt.text === '') return publish({ type: 'command.invoked', command: 'app.quit' });
        return edit(state, { op: 'delete', by: 'char', direction: 1 });
      case 'message.up':
        return moveRow(state, -1);
      case 'message.down':
        return moveRow(state, 1);
      default:
        return publish({ type: 'command.invoked', command });
    }
  }

  /** By visual row; beyond the first and last row lies the history. Home and end of the row come first, as in a shell. */
  function moveRow(state: State, direction: -1 | 1): void {
    const { column, historyIndex } = state.prompt;
    const { text, shownOffset, textOffset } = shownPrompt(state.prompt);
    const cursor = shownOffset(state.prompt.cursor);
    const width = context.messageWidth();
    const to = offsetOfRowMove(text, cursor, width, direction, column);
    if (to) return edit(state, { op: 'moveTo', offset: textOffset(to.offset), column: to.column });
    const edge = offsetOfRowEdge(text, cursor, width, direction);
    const browsing = historyIndex !== null || text === '';
    if (!browsing && cursor !== edge && text.includes('\n'))
      return edit(state, { op: 'moveTo', offset: textOffset(edge), column: 0 });
    edit(state, { op: 'history', direction });
  }

  function onMouse(state: State, input: TerminalInput & { type: 'mouse' }): void {
    const hit = context.hit(input.x, input.y);
    if (!hit || state.view.overlays.length > 0) return;
    if (input.action === 'wheel-up' || input.action === 'wheel-down') {
      const command = `${hit.pane}.${input.action === 'wheel-up' ? 'up' : 'down'}`;
      for (let i = 0; i < 3; i++) context.scroll(command);
    } else if (input.action === 'down') {
      publish({ type: 'pane.focused', pane: hit.pane });
      if (hit.key !== null) publish({ type: 'pane.selected', pane: hit.pane, key: hit.key });
    }
  }

  function neighbourPane(state: State, step: -1 | 1): PaneId {
    const order = PANE_ORDER;
    const at = order.indexOf(state.view.pane);
    return order[(at + step + order.length) % order.length] ?? 'message';
  }
}
