import { gauge } from './gauge.js';
import { withSigns } from './glyphs.js';
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
    /** Our estimate of what the next message would make of it; null while nothing is typed. */
    readonly nextTokens: number | null;
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
  // What gives way first: the bar, then the model's own limit, then what is used now, then the chat's title, then all of the context.
  const rights: Span[][] = [
    [...contextSpans(props, glyphs, 'bar', 'model', 'used'), ...title],
    [...contextSpans(props, glyphs, 'model', 'used'), ...title],
    [...contextSpans(props, glyphs, 'used'), ...title],
    [...contextSpans(props, glyphs), ...title],
    contextSpans(props, glyphs),
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

/** `ctx 3.4k of 8k (model 32k)`, while something is typed `ctx 3.4k → ≈3.6k of 8k (model 32k)`. */
function contextSpans(
  props: HeaderProps,
  glyphs: Glyphs,
  ...parts: readonly ('bar' | 'model' | 'used')[]
): Span[] {
  if (props.warning !== null) return [span(warningText(props.warning, glyphs), 'warn')];
  const { usedTokens, nextTokens, allocatedTokens, modelTokens, estimated } = props.context;
  const shown = nextTokens ?? usedTokens;
  if (shown === null && allocatedTokens === null && modelTokens === null) return [];
  const limit = allocatedTokens ?? modelTokens;
  const fraction = shown === null || limit === null || limit <= 0 ? null : shown / limit;
  const fill = fillOf(fraction);
  const text = fill === 'gaugeFill' ? 'text' : fill;
  const tokens = (count: number | null, own: boolean): string =>
    `${own && count !== null ? glyphs.approx : ''}${formatTokens(count, glyphs.unknown)}`;
  const used = tokens(usedTokens, estimated);
  const spans: Span[] = [span('ctx ', 'muted')];
  if (parts.includes('bar')) spans.push(...gauge(fraction, BAR_CELLS, glyphs, fill), span(' '));
  if (nextTokens === null) spans.push(span(used, text));
  else {
    const next = tokens(nextTokens, true);
    if (
      parts.includes('used') &&
      usedTokens !== null &&
      formatTokens(usedTokens) !== formatTokens(nextTokens)
    )
      spans.push(span(`${used} ${glyphs.ascii ? '->' : '→'} `, 'muted'));
    spans.push(span(next, text));
  }
  spans.push(span(` of ${formatTokens(allocatedTokens, glyphs.unknown)}`));
  if (parts.includes('model'))
    spans.push(span(` (model ${formatTokens(modelTokens, glyphs.unknown)})`, 'muted'));
  return spans;
}

function fillOf(fraction: number | null): Token {
  if (fraction !== null && fraction >= 0.9) return 'bad';
  return fraction !== null && fraction >= 0.75 ? 'warn' : 'gaugeFill';
}

/** A word and a glyph with the colour. */
function warningText(warning: string, glyphs: Glyphs): string {
  return `${glyphs.ascii ? '!' : '▲'} ${withSigns(warning, glyphs)}`;
}
