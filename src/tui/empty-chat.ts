import { textRow } from '../../widgets/rows.js';
import { EMPTY_ROW, row, span, type Row } from '../../widgets/text/span.js';
import { wrapText } from '../../widgets/text/wrap.js';
import type { Glyphs } from '../../widgets/widget.js';
import { withoutModels, pullNamesOf } from '../domain/pull-names.js';
import { backendById, modelByKey, type BackendEntry, type State } from '../state/state.js';
import type { Keymap } from './keymap.js';

/** What stands in a chat without messages: who answers, and what can be pressed; without a model what to do. */
export function emptyChatRows(state: State, width: number, glyphs: Glyphs, keymap: Keymap): readonly Row[] {
  const model = modelByKey(state, state.models.selected);
  const server = model && backendById(state, model.backendId);
  const say = (text: string): Row => textRow(` ${text}`, 'muted', width, glyphs.ellipsis);
  if (!model || !server)
    return state.models.searched
      ? withoutModel(state, width, keymap)
      : [say('looking for servers on this machine')];
  const loads = model.loadState === 'unloaded' ? ' It is loaded with the first message.' : '';
  const dot = ` ${glyphs.dot} `;
  const keys = [
    `${keymap.keyOf('model.pick')} another model`,
    `${keymap.keyOf('chats.open')} earlier chats`,
    `${keymap.keyOf('keys.open')} all keys`,
  ];
  const answers = indented(`${model.label} on ${server.info.title} answers.${loads}`, 1, width);
  return [...answers, EMPTY_ROW, say(keys.join(dot))];
}

/** The only server that could have a model does not tell. */
function withoutList({ info, listFault }: BackendEntry, width: number): readonly Row[] {
  const { message = '', hint = null } = listFault ?? {};
  const what = indented(`${info.title} does not list its models: ${message}`, 1, width);
  return hint === null ? what : [...what, EMPTY_ROW, ...indented(hint, 1, width)];
}

/** Servers answer, and none of them has a model to chat with: the same steps as below the server in the models pane. */
function withoutModel({ models, setUp }: State, width: number, keymap: Keymap): readonly Row[] {
  const there = models.backends.filter(({ check }) => check.status.state !== 'away');
  const open = there.filter(({ cached, check }) => cached || check.status.state !== 'ready');
  // One that is still to answer is waited for; one that has refused is not.
  const waiting = open.find(({ listFault }) => listFault === null) ?? open[0];
  if (waiting?.listFault) return withoutList(waiting, width);
  if (waiting?.check.status.state === 'loading')
    return indented(`${waiting.info.title} is still loading its model. A message waits for it.`, 1, width);
  if (waiting) return indented(`asking ${waiting.info.title} for its models`, 1, width);
  const empty = there.filter((entry) => entry.models.length === 0);
  const [first] = empty;
  const puller = empty.find(({ info }) => info.features.pull) ?? there.find(({ info }) => info.features.pull);
  const what =
    first && there.length === 1
      ? `${first.info.title} has no models.`
      : 'No server has a model to chat with.';
  const step = (command: string, does: string): readonly Row[] => {
    const key = keymap.keyOf(command);
    return indented(does, key.length + 3, width).map((line, at) =>
      at === 0
        ? row(span(` ${key}  `, 'accent'), span(line.spans[0]?.text.trimStart() ?? '', 'muted'))
        : line,
    );
  };
  return [
    ...indented(what, 1, width),
    EMPTY_ROW,
    ...(puller
      ? step('model.pull', pullWords(puller))
      : first
        ? indented(withoutModels(first.info.kind), 1, width)
        : []),
    ...step('server.add', 'adds a server'),
    ...(setUp.offer ? step('catalogue.open', 'small models to fetch and run on this machine') : []),
    EMPTY_ROW,
    ...indented(
      `These are keys of the models pane (${keymap.keyOf('pane.next')} goes there); ${keymap.keyOf('menu.open')} has them everywhere.`,
      1,
      width,
    ),
  ];
}

function pullWords({ info }: BackendEntry): string {
  const names = pullNamesOf(info.kind);
  return `pulls one by its name${names === '' ? '' : `: ${names}`}`;
}

function indented(text: string, cells: number, width: number): readonly Row[] {
  const lines = wrapText(text, Math.max(1, width - cells - 1));
  return lines.map((line) => row(span(`${' '.repeat(cells)}${line}`, 'muted')));
}
