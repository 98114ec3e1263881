import type { LogLevel } from '../domain/log.js';
import { effect, type Commands } from './command.js';
import { editPrompt, EMPTY_PROMPT } from './prompt.js';
import type { State } from './state.js';
import { openOverlay, withView } from './view.js';

/** What the keys of the log pane do, but for those that need the rows of the screen (src/tui/scrolling.ts). */
export const LOG_COMMANDS: Commands = {
  'log.follow': (state) => ({
    ...state,
    logs: { ...state.logs, held: state.logs.held === null ? state.logs.ring.end - 1 : null },
  }),
  'log.wrap': (state) => ({ ...state, logs: { ...state.logs, wrap: !state.logs.wrap } }),
  'log.filter': (state) => editFilter(state, false),
  'log.filter-inverse': (state) => editFilter(state, true),
  'log.jump': (state) =>
    withView(state, {
      pane: 'log',
      filtering: { pane: 'log', inverse: false, asksTime: true, prompt: EMPTY_PROMPT },
    }),
  'log.level-error': (state) => withLevel(state, 'error'),
  'log.level-warn': (state) => withLevel(state, 'warn'),
  'log.level-info': (state) => withLevel(state, 'info'),
  'log.level-debug': (state) => withLevel(state, 'debug'),
  'log.source': (state) => {
    const choices = [null, ...state.logs.sources];
    const source = choices[(choices.indexOf(state.logs.source) + 1) % choices.length] ?? null;
    return { ...state, logs: { ...state.logs, source } };
  },
  'log.sources': (state) => openOverlay(state, 'sources'),
  'log.save': (state, _event, out) => effect(state, out, { type: 'log.save' }),
};

function editFilter(state: State, inverse: boolean): State {
  const pattern = state.logs.filter?.pattern ?? '';
  return withView(state, {
    filtering: { pane: 'log', inverse, prompt: editPrompt(EMPTY_PROMPT, { op: 'set', text: pattern }) },
  });
}

function withLevel(state: State, level: LogLevel): State {
  return { ...state, logs: { ...state.logs, level } };
}
