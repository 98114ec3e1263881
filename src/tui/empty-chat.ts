import { textRow } from '../../widgets/rows.js';
import { EMPTY_ROW, type Row } from '../../widgets/text/span.js';
import type { Glyphs } from '../../widgets/widget.js';
import { backendById, modelByKey, type State } from '../state/state.js';
import type { Keymap } from './keymap.js';

/** What stands in a chat without messages: who answers, and what can be pressed. */
export function emptyChatRows(state: State, width: number, glyphs: Glyphs, keymap: Keymap): readonly Row[] {
  const model = modelByKey(state, state.models.selected);
  const server = model && backendById(state, model.backendId);
  const say = (text: string): Row => textRow(` ${text}`, 'muted', width, glyphs.ellipsis);
  if (!model || !server) return state.models.searched ? [] : [say('looking for servers on this machine')];
  const loads = model.loadState === 'unloaded' ? ' It is loaded with the first message.' : '';
  const dot = ` ${glyphs.dot} `;
  const keys = [
    `${keymap.keyOf('model.pick')} another model`,
    `${keymap.keyOf('chats.open')} earlier chats`,
    `${keymap.keyOf('keys.open')} all keys`,
  ];
  return [say(`${model.label} on ${server.info.title} answers.${loads}`), EMPTY_ROW, say(keys.join(dot))];
}
