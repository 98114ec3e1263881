import type { HintRow, ModelListProps, ModelListRow, ModelRow, ServerRow } from '../../widgets/model-list.js';
import { windowStart } from '../../widgets/rows.js';
import { formatCountdown, formatClock, formatRoughBytes, formatTokens } from '../../widgets/text/format.js';
import type { Token } from '../../widgets/text/span.js';
import type { Fit } from '../domain/fit.js';
import type { Model } from '../domain/model.js';
import { withoutModels } from '../domain/pull-names.js';
import { fitOfModel } from '../state/fit.js';
import { canStart } from '../state/own-servers.js';
import type { BackendEntry, State } from '../state/state.js';
import { preferredProgram, serverOfSameFile } from '../state/preferred-server.js';
import { pullRows } from './select-pulls.js';

const EMPTY_LIST = 'looking for servers';
const NONE_FOUND = 'no server found: start one, as with "ollama serve", or press a to add one';

/**
 * The tree of servers and models: the rows that a pane of this height shows. A row takes some work, and of ten thousand models twenty
 * are on the screen.
 */
export function selectModels(state: State, height: number): ModelListProps {
  const branches = branchesOf(state);
  const keys = keysOf(branches);
  const at = state.models.cursor === null ? -1 : keys.indexOf(state.models.cursor);
  const top = windowStart(Math.max(0, at), keys.length, height);
  return {
    rows: rowsOf(state, branches, top, top + height),
    selected: (at === -1 ? keys[0] : state.models.cursor) ?? null,
    focused: state.view.pane === 'models',
    empty: state.models.searched ? NONE_FOUND : EMPTY_LIST,
  };
}

/** Every row of the tree. */
export function modelRows(state: State): readonly ModelListRow[] {
  return rowsOf(state, branchesOf(state), 0, Infinity);
}

/** Of every row of the tree, from the top; a pull has two rows and one key. */
export function modelRowKeys(state: State): readonly string[] {
  return keysOf(branchesOf(state));
}

/** A server and what is shown below it. */
interface Branch {
  readonly entry: BackendEntry;
  readonly folded: boolean;
  readonly models: readonly Model[];
  /** Its pulls; else a hint when there are no models either. */
  readonly others: readonly ModelListRow[];
}

function branchesOf(state: State): readonly Branch[] {
  return state.models.backends.map((entry): Branch => {
    const folded = state.models.folded.has(entry.info.id);
    if (folded) return { entry, folded, models: [], others: [] };
    const pulls = state.models.pulls
      .filter((pull) => pull.backendId === entry.info.id)
      .flatMap((pull) => pullRows(pull, state.mono));
    const nothing = entry.models.length === 0 && pulls.length === 0;
    return { entry, folded, models: entry.models, others: nothing ? emptyHint(entry) : pulls };
  });
}

function keysOf(branches: readonly Branch[]): readonly string[] {
  const keys: string[] = [];
  for (const { entry, models, others } of branches) {
    keys.push(entry.info.id);
    for (const { key } of models) keys.push(key);
    for (const { key } of others) keys.push(key);
  }
  return keys;
}

/** The rows from one index to before another. */
function rowsOf(
  state: State,
  branches: readonly Branch[],
  from: number,
  to: number,
): readonly ModelListRow[] {
  const rows: ModelListRow[] = [];
  let start = 0;
  for (const { entry, folded, models, others } of branches) {
    // Of the list below the server, which stands at `start`.
    const first = Math.max(0, from - start - 1);
    const end = to - start - 1;
    if (start >= from && start < to) rows.push(serverRow(state, entry, folded));
    if (end > first) {
      for (const model of models.slice(first, end)) rows.push(modelRow(state, entry, model));
      rows.push(...others.slice(Math.max(0, first - models.length), Math.max(0, end - models.length)));
    }
    start += 1 + models.length + others.length;
  }
  return rows;
}

/** A server that answered and has nothing: the next step; or why it does not tell what it has. */
function emptyHint({ info, check, cached, listFault }: BackendEntry): readonly HintRow[] {
  if (listFault && check.status.state !== 'away')
    return [{ kind: 'hint', key: info.id, text: `no list: ${listFault.message}` }];
  if (cached || check.status.state !== 'ready') return [];
  const next = info.features.pull ? 'p pulls one by its name' : withoutModels(info.kind);
  return [{ kind: 'hint', key: info.id, text: `no models: ${next}` }];
}

function serverRow(state: State, entry: BackendEntry, folded: boolean): ServerRow {
  const { info, check } = entry;
  const [note, noteToken] = serverNote(state, entry);
  return {
    kind: 'server',
    key: info.id,
    title: info.title,
    address: info.url.replace(/^http:\/\//, ''),
    open: !folded,
    note,
    noteToken,
    unconfirmed: entry.cached && check.status.state === 'probing',
  };
}

function serverNote(state: State, entry: BackendEntry): readonly [string, Token] {
  const { info, check } = entry;
  const { status } = check;
  const own = state.models.started.get(info.id);
  if (own?.stopping) return ['ending', 'muted'];
  switch (status.state) {
    case 'away':
      if (own) return [`starting ${formatCountdown(state.mono - own.sinceMono)}`, 'accent'];
      if (canStart(state, entry)) return ['s starts it', 'muted'];
      return [`${awayWord(info.kind, status.fault.code)} ${formatClock(status.sinceMs)}`, 'bad'];
    case 'busy':
      return ['busy', 'warn'];
    case 'loading':
      return ['loading', 'accent'];
    case 'probing':
      return ['asking', 'muted'];
    case 'ready': {
      const waiting = check.queued ?? 0;
      if (waiting > 0) return [`${waiting} waiting`, 'warn'];
      const preferred = preferredProgram(state, entry);
      if (preferred !== null) return [`prefer ${preferred}`, 'muted'];
      return [check.version ?? '', 'muted'];
    }
  }
}

function awayWord(kind: string, code: string): string {
  // Nothing of this machine has to run beforehand.
  if (code === 'not-running') return kind === 'embedded' ? 'no engine' : 'not running';
  if (code === 'unauthorized') return 'needs a key';
  if (code === 'not-a-server') return 'no model server';
  if (code === 'timeout') return 'no answer';
  return 'away';
}

function modelRow(state: State, entry: BackendEntry, model: Model): ModelRow {
  const [note, noteToken] = modelNote(state, entry, model);
  const load = state.models.loading.get(model.key);
  const loading = model.loadState === 'loading' || load !== undefined;
  return {
    kind: 'model',
    key: model.key,
    label: model.label,
    loaded: model.loadState === 'loaded',
    chosen: model.key === state.models.selected,
    sizeBytes: model.sizeBytes,
    remote: model.remote,
    ...(loading ? { loading: load?.progress ?? model.loadProgress } : {}),
    note,
    noteToken,
    unconfirmed: entry.cached || entry.check.status.state === 'away',
    chat: model.chat,
    columns: [
      model.parameters ?? '—',
      model.quantization ?? '—',
      formatTokens(model.contextAllocated ?? model.contextMax),
      model.family ?? '—',
      model.capabilities?.join(' ') ?? '—',
    ],
  };
}

function modelNote(state: State, entry: BackendEntry, model: Model): readonly [string, Token] {
  if (state.models.deleting.has(model.key)) return ['delete', 'bad'];
  if (state.models.unloading.has(model.key) || model.loadState === 'unloading') return ['unload', 'muted'];
  if (!model.chat) return [model.capabilities?.includes('embedding') ? 'embed' : 'no chat', 'muted'];
  if (model.remote || entry.check.status.state === 'away') return ['', 'muted'];
  if (model.loadState === 'loaded') {
    if (model.expiry === 'never') return ['stays', 'muted'];
    if (model.expiry === 'in-use') return ['in use', 'accent'];
    if (model.expiry !== null) {
      const left = model.expiry.at - state.at;
      return left <= 0 ? ['expires', 'muted'] : [formatCountdown(left), 'muted'];
    }
    return model.contextAllocated === null
      ? ['', 'muted']
      : [`${formatTokens(model.contextAllocated)} ctx`, 'muted'];
  }
  // Why is told in its details.
  if (serverOfSameFile(state, model)) return ['served', 'muted'];
  return fitNote(fitOfModel(state, model));
}

/** With a question mark when it is no more than likely. */
function fitNote({ verdict, probably, missingBytes }: Fit): readonly [string, Token] {
  const likely = probably ? '?' : '';
  switch (verdict) {
    case 'fits':
      return [`fits${likely}`, 'good'];
    case 'tight':
      return [`tight${likely}`, 'warn'];
    case 'partly':
      return [`partly${likely}`, 'warn'];
    case 'short':
      return [`-${formatRoughBytes(missingBytes)}`, 'bad'];
    case 'unknown':
      return ['?', 'muted'];
  }
}
