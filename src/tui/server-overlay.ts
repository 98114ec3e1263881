import type { FormProps } from '../../widgets/form.js';
import { formatCount } from '../../widgets/text/format.js';
import type { Token } from '../../widgets/text/span.js';
import { choicesOf, listedAlready, type ServerChoice, type ServerForm } from '../state/server-form.js';
import type { State } from '../state/state.js';

type Line = FormProps['lines'][number];

const EXAMPLES = 'For example http://127.0.0.1:11434, gpu-box, :8080, llama.cpp+http://127.0.0.1:8080';
const KEY_WORDS = [
  'Better than the key itself is the name of a variable, as ${NAME}: then the key stands in no file.',
  'Enter asks again with it. It goes to this server only, and is shown nowhere.',
];
const CHOICES: Readonly<Record<ServerChoice, string>> = {
  keep: 'keep it',
  show: 'show it in the list',
  key: 'give it a key',
  again: 'ask again',
  address: 'another address',
};

/** What the overlay for a new server shows. */
export function serverFormProps(state: State, form: ServerForm, index: number): FormProps {
  const typingKey = form.step === 'key';
  const address = {
    label: 'Address',
    text: form.address.text,
    cursor: form.step === 'address' ? form.address.cursor : null,
    placeholder: 'where the server is',
    secret: false,
  };
  const key = {
    label: 'Key',
    text: form.key.text,
    cursor: typingKey ? form.key.cursor : null,
    placeholder: 'the key, or ${NAME}',
    // The name of a variable is no secret.
    secret: !/^\$\{/.test(form.key.text),
  };
  const choices = form.step === 'result' ? choicesOf(state, form) : [];
  return {
    fields: typingKey || form.key.text !== '' ? [address, key] : [address],
    lines: linesOf(state, form),
    choices: choices.map((choice) => wordsOf(choice, form)),
    focused: Math.min(index, Math.max(0, choices.length - 1)),
  };
}

/** `Enter asks it, Esc closes`. */
export function serverFormHint({ step }: ServerForm): string {
  switch (step) {
    case 'address':
      return 'Enter asks who it is, Esc closes';
    case 'probing':
      return 'Esc: another address';
    case 'key':
      return 'Enter asks with it, Esc: another address';
    case 'result':
      return 'Enter takes it, Esc: another address';
  }
}

function linesOf(state: State, form: ServerForm): readonly Line[] {
  const { step, probe } = form;
  if (step === 'probing') return [line('asking who it is …', 'accent')];
  if (!probe) return step === 'address' ? [line(EXAMPLES, 'muted')] : [];
  const known = probe.url === null ? null : listedAlready(state, probe);
  const lines: Line[] = [];
  if (probe.fault) {
    if (probe.kind !== null && probe.url !== null) lines.push(line(`${probe.kind} at ${probe.url}`, 'text'));
    lines.push(line(probe.fault.message, step === 'key' ? 'warn' : 'bad'));
    if (probe.fault.hint !== null && step !== 'key') lines.push(line(probe.fault.hint, 'text'));
  } else {
    const version = probe.version === null ? '' : ` ${probe.version}`;
    const models =
      probe.models === null
        ? ''
        : `, ${formatCount(probe.models)} ${probe.models === 1 ? 'model' : 'models'}`;
    lines.push(line(`${probe.kind ?? 'A server'}${version} at ${probe.url ?? ''}${models}`, 'good'));
  }
  if (known && known.origin !== 'mock' && known.origin !== 'embedded')
    lines.push(line(ALREADY[known.origin], 'muted'));
  if (step === 'key') lines.push(...KEY_WORDS.map((words) => line(words, 'muted')));
  return lines;
}

const ALREADY = {
  configuration: 'It stands in the configuration already; keeping it again replaces that entry.',
  run: 'It is in the list for this run; keeping it writes it to the configuration.',
  environment: 'It is in the list from the environment; keeping it writes it to the configuration.',
  found: 'It was found on this machine; keeping it lists it also when it is away.',
  installed: 'Its program is on this machine; keeping it lists it always.',
} as const;

function wordsOf(choice: ServerChoice, { probe, key }: ServerForm): string {
  if (choice === 'keep' && probe?.fault) return 'keep it all the same: it is asked again and again';
  if (choice === 'key' && key.text !== '') return 'give it another key';
  return CHOICES[choice];
}

function line(text: string, token: Token): Line {
  return { text, token };
}
