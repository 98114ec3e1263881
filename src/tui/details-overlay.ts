import { withSigns } from '../../widgets/glyphs.js';
import { fitRow } from '../../widgets/rows.js';
import {
  formatBytes,
  formatCount,
  formatCountdown,
  formatPercent,
  formatUsage,
} from '../../widgets/text/format.js';
import { EMPTY_ROW, span, type Row } from '../../widgets/text/span.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { wrapText } from '../../widgets/text/wrap.js';
import type { Glyphs } from '../../widgets/widget.js';
import type { Expiry, Model, ModelDetails } from '../domain/model.js';
import { pullFigures } from '../domain/pull-meter.js';
import { detailsId } from '../state/model-life.js';
import { preferredProgram, preferredWords, programWords } from '../state/preferred-server.js';
import type { Pull } from '../state/pulls.js';
import {
  backendById,
  modelByKey,
  pullById,
  type BackendEntry,
  type DetailsEntry,
  type State,
} from '../state/state.js';
import { fitFacts } from './fit-facts.js';

export type Fact = readonly [name: string, value: string];

export const NAME_COLUMNS = 25;
/** Rows of a long text; what is left out is counted. */
const TEXT_ROWS = 12;
const FACT_ROWS = 6;
const MOST_PARAMETERS = 40;

/** Everything that is known of a model or a pull, term by term; `width` in cells. */
export function detailRows(state: State, key: string | null, width: number, glyphs: Glyphs): readonly Row[] {
  const pull = pullById(state, key);
  if (pull) return factRows(pullFacts(state, pull), width, glyphs);
  const model = modelByKey(state, key);
  if (!model) return factRows([['model', 'it is gone']], width, glyphs);
  const entry = state.models.details.get(detailsId(model, model.key));
  return [
    ...factRows([...modelFacts(state, model), ...askedFacts(entry)], width, glyphs),
    ...(entry?.details ? toldRows(entry.details, width, glyphs) : []),
  ];
}

/** One row each, longer values wrapped below themselves and cut with a count. */
export function factRows(facts: readonly Fact[], width: number, glyphs: Glyphs): readonly Row[] {
  return facts.flatMap(([name, value]) =>
    textRows(withSigns(value, glyphs), Math.max(8, width - NAME_COLUMNS - 2), FACT_ROWS).map((text, i) =>
      fitRow(
        [span(` ${(i === 0 ? sanitizeLine(name) : '').padEnd(NAME_COLUMNS)}`, 'muted'), span(text)],
        width,
        glyphs.ellipsis,
      ),
    ),
  );
}

function modelFacts(state: State, model: Model): readonly Fact[] {
  const backend = backendById(state, model.backendId);
  return [
    ['name', sanitizeLine(model.name)],
    ['server', `${backend?.info.title ?? ''} ${backend?.info.url ?? ''}`],
    ...preferredFact(preferredWords(state, model)),
    ['state', stateOf(state, model)],
    ['stays loaded', staysOf(model.expiry, state.at)],
    ['for chat', model.chat ? 'yes' : 'no'],
    ['capabilities', model.capabilities?.join(', ') ?? '—'],
    ['file size', model.remote ? 'runs elsewhere (cloud)' : formatBytes(model.sizeBytes)],
    ['in memory', memoryOf(model)],
    ['family', model.family ?? '—'],
    ['parameters', model.parameters ?? '—'],
    ['quantization', model.quantization ?? '—'],
    ['context now', tokens(model.contextAllocated)],
    ['context of the model', tokens(model.contextMax)],
    ['digest', model.digest?.slice(0, 19) ?? '—'],
    ...fitFacts(state, model),
  ];
}

/** Of what runs here without a server: which server would be the better choice, and why. */
export function preferredFacts(state: State, entry: BackendEntry): readonly Fact[] {
  const program = preferredProgram(state, entry);
  return preferredFact(program === null ? null : programWords(program));
}

function preferredFact(words: string | null): readonly Fact[] {
  return words === null ? [] : [['preferred', words]];
}

function stateOf(state: State, model: Model): string {
  const load = state.models.loading.get(model.key);
  if (load) {
    const source = load.source === null ? '' : `, told by ${load.source}`;
    return `is being loaded ${load.progress === null ? '' : formatPercent(load.progress)}${source}`;
  }
  if (state.models.deleting.has(model.key)) return 'is being deleted';
  if (state.models.unloading.has(model.key)) return 'is being unloaded';
  const title = backendById(state, model.backendId)?.info.title ?? 'its server';
  if (model.loadState === 'loaded') return `loaded by ${title}`;
  return model.loadState === 'unknown' ? '—' : model.loadState;
}

function staysOf(expiry: Expiry, now: number): string {
  if (expiry === null) return '—';
  if (expiry === 'never') return 'until it is unloaded by hand';
  if (expiry === 'in-use') return 'in use';
  return expiry.at <= now ? 'expiring' : formatCountdown(expiry.at - now);
}

function memoryOf({ memoryBytes, vramBytes }: Model): string {
  if (memoryBytes === null) return '—';
  if (vramBytes === null) return formatBytes(memoryBytes);
  const share = formatPercent(memoryBytes > 0 ? Math.min(1, vramBytes / memoryBytes) : null);
  return `${formatBytes(memoryBytes)}, ${share} on the GPU`;
}

function tokens(count: number | null): string {
  return count === null ? '—' : `${formatCount(count)} tokens`;
}

function askedFacts(entry: DetailsEntry | undefined): readonly Fact[] {
  if (entry?.asking) return [['more', 'the server is being asked …']];
  if (entry?.fault) return [['more', `${entry.fault.message} ${entry.fault.hint ?? ''}`.trimEnd()]];
  return [];
}

function toldRows(details: ModelDetails, width: number, glyphs: Glyphs): readonly Row[] {
  const changed: readonly Fact[] =
    details.modifiedAt === null ? [] : [['changed', new Date(details.modifiedAt).toISOString().slice(0, 10)]];
  const parameters = details.parameters.slice(0, MOST_PARAMETERS);
  const more = details.parameters.length - parameters.length;
  return [
    ...factRows([...changed, ...details.facts], width, glyphs),
    ...section('Parameters of the model', factRows(parameters, width, glyphs), width),
    ...(more > 0 ? factRows([['', `… and ${more} more`]], width, glyphs) : []),
    ...section('System message', prose(details.system, width, glyphs), width),
    ...section('Template', prose(details.template, width, glyphs), width),
    ...section('License', prose(details.license, width, glyphs), width),
  ];
}

function section(title: string, rows: readonly Row[], width: number): readonly Row[] {
  return rows.length === 0 ? [] : [EMPTY_ROW, fitRow([span(` ${title}`, 'title')], width), ...rows];
}

function prose(text: string | null, width: number, glyphs: Glyphs): readonly Row[] {
  if (text === null || text.trim() === '') return [];
  return textRows(text.trimEnd(), Math.max(8, width - 4), TEXT_ROWS).map((line) =>
    fitRow([span(`   ${line}`)], width, glyphs.ellipsis),
  );
}

/** The text in rows; of a long one the beginning and how much follows. Only the beginning is wrapped: a license may be a book. */
function textRows(text: string, width: number, most: number): readonly string[] {
  const lines = text.split('\n');
  const rows: string[] = [];
  let used = 0;
  for (const line of lines) {
    if (rows.length >= most) break;
    const wrapped = wrapText(line.slice(0, width * (most + 1)), width);
    rows.push(...(wrapped.length === 0 ? [''] : wrapped));
    used += 1;
  }
  if (rows.length <= most && used === lines.length) return rows;
  const shown = rows.slice(0, most - 1);
  const left = text.length - shown.reduce((sum, row) => sum + row.length + 1, 0);
  return [...shown, `… ${formatCount(Math.max(1, left))} more characters`];
}

function pullFacts(state: State, pull: Pull): readonly Fact[] {
  const { progress } = pull;
  const figures = pullFigures(pull, state.mono);
  const backend = backendById(state, pull.backendId);
  const layers = progress?.layers ?? [];
  return [
    ['pull of', sanitizeLine(pull.name)],
    ['server', `${backend?.info.title ?? ''} ${backend?.info.url ?? ''}`],
    ['state', pull.state === 'running' ? (progress?.phase ?? 'preparing') : pull.state],
    ...(pull.fault ? ([['reason', pull.fault.message]] as const) : []),
    ['the server says', progress?.status ?? '—'],
    ['fetched', formatUsage(figures.completedBytes, figures.totalBytes)],
    [
      'speed',
      figures.bytesPerSecond === null || pull.state !== 'running'
        ? '—'
        : `${formatBytes(figures.bytesPerSecond)}/s, of the last 10 s`,
    ],
    ['time left', formatCountdown(figures.leftMs)],
    ...layers.slice(0, MOST_PARAMETERS).map(({ id, completedBytes, totalBytes }): Fact => [
      `layer ${sanitizeLine(id)
        .replace(/^(layer |sha256:)/, '')
        .slice(0, 12)}`,
      `${formatPercent(totalBytes > 0 ? completedBytes / totalBytes : null).padStart(5)} of ${formatBytes(totalBytes)}`,
    ]),
  ];
}
