import { pickItems, type PickedItem, type PickerItem } from '../../widgets/list-picker.js';
import { formatBytes, formatCount, formatTokens } from '../../widgets/text/format.js';
import { offeredCatalogue } from '../domain/catalogue.js';
import { VERDICT_WORDS } from '../domain/fit-words.js';
import type { AppEvent } from '../events/catalogue.js';
import { hardStop } from '../state/aftermath.js';
import { COMMAND_IDS } from '../state/commands.js';
import { canContinue } from '../state/continue.js';
import { nextModel } from '../state/fallback.js';
import { allModels, backendById, type Overlay, type State } from '../state/state.js';
import { keyLabel, type Keymap } from './keymap.js';
import { pullItems } from './pull-overlay.js';

/** A row of a picker and the event that choosing it publishes. */
interface Offer {
  readonly item: PickerItem;
  readonly event: AppEvent;
}

export interface OverlayItems {
  readonly picked: readonly PickedItem[];
  readonly total: number;
  eventOf(index: number): AppEvent | null;
}

let last: { readonly deps: readonly unknown[]; readonly items: OverlayItems } | null = null;

/** The rows of the top overlay that match what was typed, best first; none for overlays without a list. */
export function overlayItems(state: State, overlay: Overlay, keymap: Keymap): OverlayItems {
  if (overlay.id === 'pull') return pullItems(state, overlay);
  const { chats, done, live } = state.chat;
  const deps = [
    overlay.id,
    overlay.query.text,
    state.models,
    state.setUp.offer,
    chats,
    done,
    live === null,
    keymap,
  ];
  if (last && deps.every((d, i) => d === last?.deps[i])) return last.items;
  const offers = offersOf(state, overlay, keymap);
  const events = new Map(offers.map((o) => [o.item.id, o.event]));
  const picked = pickItems(
    offers.map((o) => o.item),
    overlay.query.text,
  );
  const items: OverlayItems = {
    picked,
    total: offers.length,
    eventOf: (index) => events.get(picked[Math.min(index, picked.length - 1)]?.item.id ?? '') ?? null,
  };
  last = { deps, items };
  return items;
}

function offersOf(state: State, overlay: Overlay, keymap: Keymap): readonly Offer[] {
  if (overlay.id === 'menu') return commandOffers(state, keymap);
  if (overlay.id === 'models') return modelOffers(state);
  if (overlay.id === 'chats') return chatOffers(state);
  if (overlay.id === 'catalogue') return catalogueOffers(state);
  return [];
}

/** Commands that stand in the menu only while there is something for them to do. */
const ONLY_WHEN: Readonly<Record<string, (state: State) => boolean>> = {
  'turn.continue': ({ chat }) => {
    const last = chat.done.at(-1);
    return chat.live === null && last !== undefined && canContinue(last);
  },
  'turn.fall-back': (state) => {
    const last = state.chat.done.at(-1);
    return state.chat.live === null && last !== undefined && nextModel(state, last) !== null;
  },
  'turn.hard-stop': (state) => hardStop(state) !== null,
};

function commandOffers(state: State, keymap: Keymap): readonly Offer[] {
  const seen = new Set<string>();
  return keymap.bindings
    .filter((b) => ONLY_WHEN[b.id]?.(state) !== false)
    .filter((b) => b.menu === true && COMMAND_IDS.includes(b.id) && !seen.has(b.id) && seen.add(b.id))
    .map((b) => {
      const everywhere = b.where === 'everywhere' || b.where === 'message';
      const key = b.keys[0] === undefined ? '' : keyLabel(b.keys[0]);
      return {
        item: {
          id: b.id,
          label: b.does,
          columns: [key === '' || everywhere ? key : `${key} in ${b.where}`],
          keywords: b.id,
        },
        event: { type: 'command.invoked', command: b.id },
      };
    });
}

/** The model used before the present one stands first, so that Ctrl+O Enter goes back to it. */
function modelOffers(state: State): readonly Offer[] {
  const { recent, selected } = state.models;
  const others = recent.filter((key) => key !== selected);
  const rank = (key: string): number => {
    if (key === selected) return others.length > 0 ? 0.5 : -1;
    const at = others.indexOf(key);
    return at < 0 ? 1000 : at;
  };
  return allModels(state)
    .filter((m) => m.chat)
    .map((model, index) => ({ model, index }))
    .sort((a, b) => rank(a.model.key) - rank(b.model.key) || a.index - b.index)
    .map(({ model }) => {
      const backend = backendById(state, model.backendId);
      const away = backend?.check.status.state === 'away';
      const now =
        model.key === selected ? 'chosen' : away ? 'away' : model.loadState === 'loaded' ? 'loaded' : '';
      return {
        item: {
          id: model.key,
          label: model.label,
          columns: [now, formatBytes(model.sizeBytes), backend?.info.title ?? ''],
        },
        event: { type: 'command.invoked', command: 'model.use', argument: model.key },
      };
    });
}

function chatOffers(state: State): readonly Offer[] {
  return state.chat.chats.map((chat) => ({
    item: {
      id: chat.id,
      label: chat.title || '(without title)',
      columns: [
        chat.id === state.chat.id ? 'open' : '',
        `${formatCount(chat.turns)} ${chat.turns === 1 ? 'question' : 'questions'}`,
        localMinute(chat.updatedAt),
      ],
    },
    event: { type: 'command.invoked', command: 'chat.open', argument: chat.id },
  }));
}

/** What fits this machine stands first. */
function catalogueOffers(state: State): readonly Offer[] {
  return offeredCatalogue(state.setUp.offer?.freeBytes ?? null).map(({ entry, verdict }) => ({
    item: {
      id: entry.name,
      label: entry.title,
      columns: [
        formatBytes(entry.sizeBytes),
        `${formatTokens(entry.contextMax)} context`,
        entry.license,
        VERDICT_WORDS[verdict],
      ],
      keywords: `${entry.name} ${entry.note}`,
    },
    event: { type: 'command.invoked', command: 'catalogue.take', argument: entry.name },
  }));
}

/** `2026-01-31 12:03` in the time zone of the user. */
function localMinute(at: number): string {
  const d = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
}
