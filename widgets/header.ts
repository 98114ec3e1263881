import { gauge } from './gauge.js';
import { fitRow, justify, spansWidth } from './rows.js';
import { formatTokens } from './text/format.js';
import type { Row, Span, Token } from './text/span.js';
import { span } from './text/span.js';
import { truncateEnd, truncateMiddle } from './text/truncate.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

export interface HeaderProps {
  /** The model that answers the next message; null when there is none. */
  readonly model: string | null;
  readonly backend: string | null;
  readonly context: {
    readonly usedTokens: number | null;
    /** The used figure is our own count. */
    readonly estimated: boolean;
    /** What one request may use now. */
    readonly allocatedTokens: number | null;
    /** What the model could. */
    readonly modelTokens: number | null;
  };
  /** Takes the place of the context: `oldest 4 messages dropped, context is full`. */
  readonly warning: string | null;
  readonly title: string;
}

const BAR_CELLS = 11;

/** The title line: what answers, how full its context is, which chat this is. */
export const header = {
  name: 'header',
  create(glyphs: Glyphs): WidgetInstance<HeaderProps> {
    return {
      view: (props, size) => ({
        rows: size.width <= 0 || size.height <= 0 ? [] : [headerRow(props, size.width, glyphs)],
      }),
    };
  },
} satisfies Widget<HeaderProps>;

function headerRow(props: HeaderProps, width: number, glyphs: Glyphs): Row {
  const bar = span(` ${glyphs.border.v} `, 'border');
  const title =
    props.title === ''
      ? []
      : [bar, span(truncateEnd(props.title, Math.max(8, Math.floor(width / 4)), glyphs.ellipsis), 'title')];
  const left: Span[] = [span(' lmapp', 'accent'), bar, ...modelSpans(props, width, glyphs)];
  // What gives way first: the bar, then the model's own limit, then the chat's title, then all of the context.
  const rights: Span[][] = [
    [...contextSpans(props, glyphs, true, true), ...title],
    [...contextSpans(props, glyphs, false, true), ...title],
    [...contextSpans(props, glyphs, false, false), ...title],
    contextSpans(props, glyphs, false, false),
  ];
  const wanted = spansWidth(left) + 2;
  const right = rights.find((spans) => wanted + spansWidth(spans) <= width);
  if (right !== undefined)
    return justify(left, right.length === 0 ? [] : [...right, span(' ')], width, glyphs.ellipsis);
  // A warning is worth more than the name.
  if (props.warning !== null)
    return fitRow([span(` ${warningText(props.warning, glyphs)}`, 'warn')], width, glyphs.ellipsis);
  return fitRow(left, width, glyphs.ellipsis);
}

function modelSpans({ model, backend }: HeaderProps, width: number, glyphs: Glyphs): Span[] {
  if (model === null) return [span('no model', 'warn')];
  const name = span(truncateMiddle(model, Math.max(12, Math.floor(width / 3)), glyphs.ellipsis), 'strong');
  return backend === null
    ? [name]
    : [name, span(` ${glyphs.dot} ${truncateEnd(backend, 20, glyphs.ellipsis)}`, 'muted')];
}

function contextSpans(props: HeaderProps, glyphs: Glyphs, withBar: boolean, withModel: boolean): Span[] {
  if (props.warning !== null) return [span(warningText(props.warning, glyphs), 'warn')];
  const { usedTokens, allocatedTokens, modelTokens, estimated } = props.context;
  if (usedTokens === null && allocatedTokens === null && modelTokens === null) return [];
  const limit = allocatedTokens ?? modelTokens;
  const fraction = usedTokens === null || limit === null || limit <= 0 ? null : usedTokens / limit;
  const fill: Token =
    fraction !== null && fraction >= 0.9
      ? 'bad'
      : fraction !== null && fraction >= 0.75
        ? 'warn'
        : 'gaugeFill';
  const used = `${estimated && usedTokens !== null ? glyphs.approx : ''}${formatTokens(usedTokens, glyphs.unknown)}`;
  const spans: Span[] = [span('ctx ', 'muted')];
  if (withBar) spans.push(...gauge(fraction, BAR_CELLS, glyphs, fill), span(' '));
  spans.push(
    span(used, fill === 'gaugeFill' ? 'text' : fill),
    span(` of ${formatTokens(allocatedTokens, glyphs.unknown)}`),
  );
  if (withModel) spans.push(span(` (model ${formatTokens(modelTokens, glyphs.unknown)})`, 'muted'));
  return spans;
}

/** A word and a glyph with the colour. */
function warningText(warning: string, glyphs: Glyphs): string {
  return `${glyphs.ascii ? '!' : '▲'} ${warning}`;
}
