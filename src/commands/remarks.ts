import { sanitizeLine } from '../../widgets/text/sanitize.js';
import type { ChatEvent } from '../backends/backend.js';
import type { Choice } from './choose-model.js';

/** What comes with an answer and is no part of it. */
export type Remark = Extract<ChatEvent, { readonly type: 'note' | 'answering-model' | 'truncated' }>;

export function isRemark(event: ChatEvent): event is Remark {
  return event.type === 'note' || event.type === 'answering-model' || event.type === 'truncated';
}

/** What is to be said of an answer beside it, a sentence each. */
export function remarksOn(remarks: readonly Remark[], choice: Choice | null): readonly string[] {
  return remarks.map((remark) => sanitizeLine(textOf(remark, choice)));
}

function textOf(remark: Remark, choice: Choice | null): string {
  switch (remark.type) {
    case 'note':
      return remark.text;
    case 'answering-model':
      return `${remark.name} answered; asked was ${choice?.model.label ?? 'another model'}`;
    case 'truncated':
      return `the model did not see all of the message: ${remark.truncation.source}`;
  }
}
