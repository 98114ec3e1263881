import { withSigns } from './glyphs.js';
import type { Row, Span } from './text/span.js';
import { span } from './text/span.js';
import { justify, spansWidth } from './rows.js';
import type { Glyphs, Widget, WidgetInstance } from './widget.js';

/** A key and what it does now. */
export interface KeyHint {
  readonly key: string;
  readonly does: string;
}

export interface PhaseStep {
  /** `queue`, `load`, `prompt`, `thinking`, `answer`. */
  readonly label: string;
  /** `2.1 s`, `63 %`, or `41.2 tok/s`, `312 tok`, `7.6 s`; they are parted by dots. */
  readonly figures: readonly string[];
  /** The figures are our own count, not the server's. */
  readonly estimated: boolean;
  readonly state: 'done' | 'current' | 'failed';
}

export interface PhaseBarProps {
  /** The life of the present request in order; empty when idle. */
  readonly steps: readonly PhaseStep[];
  /** When idle: the figures of the last answer, or what to do. */
  readonly idle: readonly string[];
  /** Most important first; those that do not fit are left out. */
  readonly keys: readonly KeyHint[];
}

/** The bottom line: what the present request is doing, and the keys. */
export const phaseBar = {
  name: 'phase-bar',
  create(glyphs: Glyphs): WidgetInstance<PhaseBarProps> {
    return {
      view: (props, size) => ({
        rows: size.width <= 0 || size.height <= 0 ? [] : [phaseRow(props, size.width, glyphs)],
      }),
    };
  },
} satisfies Widget<PhaseBarProps>;

function phaseRow(props: PhaseBarProps, width: number, glyphs: Glyphs): Row {
  const steps =
    props.steps.length === 0
      ? [span(withSigns(` ${props.idle.join(dot(glyphs))}`, glyphs), 'muted')]
      : stepSpans(props.steps, width, glyphs);
  const room = width - spansWidth(steps) - 2;
  let keys = hints(props.keys, Math.max(room, Math.min(14, width)));
  // While something runs the key that stops it stays, even when the figures are cut for it.
  if (keys.length === 0 && props.steps.length > 0) keys = hints(props.keys.slice(0, 1), width);
  return justify(steps, keys.length === 0 ? [] : [...keys, span(' ')], width, glyphs.ellipsis);
}

function stepSpans(steps: readonly PhaseStep[], width: number, glyphs: Glyphs): Span[] {
  // Little room: what is happening now is said first.
  let shown = steps;
  let spans = joinSteps(shown, glyphs);
  while (shown.length > 1 && spansWidth(spans) > width - 12) {
    shown = shown.slice(1);
    spans = joinSteps(shown, glyphs);
  }
  return spans;
}

function joinSteps(steps: readonly PhaseStep[], glyphs: Glyphs): Span[] {
  const spans: Span[] = [span(' ')];
  for (const [i, step] of steps.entries()) {
    if (i > 0) spans.push(span(` ${glyphs.dash} `, 'border'));
    const current = step.state === 'current';
    if (current) spans.push(span(glyphs.ascii ? '> ' : '▶ ', 'accent'));
    if (step.state === 'failed') spans.push(span(glyphs.ascii ? 'x ' : '✗ ', 'bad'));
    spans.push(span(step.label, current ? 'accent' : step.state === 'failed' ? 'bad' : 'muted'));
    if (step.figures.length > 0) {
      const figures = step.figures.join(dot(glyphs));
      spans.push(span(` ${step.estimated ? glyphs.approx : ''}${figures}`, current ? 'text' : 'muted'));
    }
  }
  return spans;
}

function dot(glyphs: Glyphs): string {
  return ` ${glyphs.dot} `;
}

/** `Esc stop   ^P menu   ? keys`, as many as fit. */
export function hints(keys: readonly KeyHint[], room: number): Span[] {
  const spans: Span[] = [];
  for (const { key, does } of keys) {
    const more = [span(`${spans.length > 0 ? '   ' : ''}${key}`, 'key'), span(` ${does}`, 'muted')];
    if (spansWidth(spans) + spansWidth(more) > room) break;
    spans.push(...more);
  }
  return spans;
}

/** `Message ── Enter sends · Ctrl+J new line`. */
export function messageTitle(hint: readonly string[], glyphs: Glyphs): Row {
  const spans: Span[] = [span('Message', 'title')];
  for (const [i, part] of hint.entries()) {
    spans.push(i === 0 ? span(` ${glyphs.dash}${glyphs.dash} `, 'border') : span(` ${glyphs.dot} `, 'muted'));
    spans.push(span(part, 'muted'));
  }
  return { spans };
}
