import { fuzzyMatch } from '../../widgets/text/fuzzy.js';
import { formatBytes } from '../../widgets/text/format.js';
import type { AppEvent } from '../events/catalogue.js';
import { COMMAND_IDS } from '../state/commands.js';
import { allModels, backendById, type Overlay, type State } from '../state/state.js';
import { keyLabel, type Keymap } from './keymap.js';

/** A row of a picker: what it says, and the event that choosing it publishes. */
export interface OverlayItem {
  readonly key: string;
  readonly label: string;
  readonly detail: string;
  /** Matched offsets in `label`, to be marked. */
  readonly positions: readonly number[];
  readonly marked: boolean;
  readonly dimmed: boolean;
  readonly event: AppEvent;
}

type Unmatched = Omit<OverlayItem, 'positions'>;

/** The rows of the top overlay that match what was typed, best first. Overlays without rows give none. */
export function overlayItems(state: State, overlay: Overlay, keymap: Keymap): readonly OverlayItem[] {
  const items = itemsOf(state, overlay, keymap);
  const query = overlay.query.text.trim();
  if (query === '') return items.map((item) => ({ ...item, positions: [] }));
  const matches: { item: OverlayItem; score: number }[] = [];
  for (const item of items) {
    const match = fuzzyMatch(query, item.label);
    const detail = match ? null : fuzzyMatch(query, `${item.label} ${item.detail}`);
    if (match) matches.push({ item: { ...item, positions: match.positions }, score: match.score });
    else if (detail) matches.push({ item: { ...item, positions: [] }, score: detail.score - 1000 });
  }
  return matches.sort((a, b) => b.score - a.score).map((m) => m.item);
}

function itemsOf(state: State, overlay: Overlay, keymap: Keymap): readonly Unmatched[] {
  if (overlay.id === 'menu') return menuItems(keymap);
  if (overlay.id === 'models') return modelItems(state);
  if (overlay.id === 'chats') return chatItems(state);
  return [];
}

function menuItems(keymap: Keymap): readonly Unmatched[] {
  const seen = new Set<string>();
  return keymap.bindings
    .filter((b) => b.menu === true && COMMAND_IDS.includes(b.id) && !seen.has(b.id) && seen.add(b.id))
    .map((b) => ({
      key: b.id,
      label: b.does,
      detail: b.keys[0] === undefined ? '' : b.where === 'everywhere' || b.where === 'message' ? keyLabel(b.keys[0]) : `${keyLabel(b.keys[0])} in ${b.where}`,
      marked: false,
      dimmed: false,
      event: { type: 'command.invoked', command: b.id },
    }));
}

/** The models used last stand first, the present one second, so that Ctrl+O Enter goes back to the one before. */
function modelItems(state: State): readonly Unmatched[] {
  const { recent, selected } = state.models;
  const rank = (key: string): number => {
    if (key === selected) return recent.some((k) => k !== selected) ? 0.5 : 0;
    const at = recent.filter((k) => k !== selected).indexOf(key);
    return at < 0 ? 1000 : at;
  };
  return allModels(state)
    .filter((m) => m.chat)
    .map((model, index) => ({ model, index }))
    .sort((a, b) => rank(a.model.key) - rank(b.model.key) || a.index - b.index)
    .map(({ model }) => {
      const backend = backendById(state, model.backendId);
      const away = backend?.check.status.state === 'away';
      const parts = [backend?.info.title ?? '', formatBytes(model.sizeBytes), model.loadState === 'loaded' ? 'loaded' : '', away ? 'away' : ''];
      return {
        key: model.key,
        label: model.label,
        detail: parts.filter((p) => p !== '').join('  '),
        marked: model.key === selected,
        dimmed: away,
        event: { type: 'command.invoked', command: 'model.use', argument: model.key },
      };
    });
}

function chatItems(state: State): readonly Unmatched[] {
  return state.chat.chats.map((chat) => ({
    key: chat.id,
    label: chat.title || '(without title)',
    detail: `${new Date(chat.updatedAt).toISOString().slice(0, 16).replace('T', ' ')}  ${chat.turns} ${chat.turns === 1 ? 'question' : 'questions'}`,
    marked: chat.id === state.chat.id,
    dimmed: false,
    event: { type: 'command.invoked', command: 'chat.open', argument: chat.id },
  }));
}
