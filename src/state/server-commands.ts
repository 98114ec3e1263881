import type { ServerOrigin } from '../domain/model.js';
import { effect, type Command, type Commands } from './command.js';
import { withNotice } from './notices.js';
import { openServerForm, submitServer } from './server-form.js';
import { type BackendEntry, type State } from './state.js';
import { openOverlay } from './view.js';

/** What is done with servers as such: added, removed. */
export const SERVER_COMMANDS: Commands = {
  'server.add': openServerForm,
  'server.submit': (state, _event, out) => submitServer(state, out),
  'server.remove': (state, event, out) =>
    effect(state, out, { type: 'server.remove', backendId: event.argument ?? '' }),
};

/** How a server that stands in no configuration leaves the list. */
const NOT_CONFIGURED: Readonly<Record<Exclude<ServerOrigin, 'configuration'>, readonly [string, string]>> = {
  run: ['was named for this run', 'It is gone at the next start.'],
  environment: ['is named by OLLAMA_HOST', 'Take it out of that variable.'],
  found: [
    'was found on this machine',
    'Stop the server, or turn the search off: lmapp config --set discovery false',
  ],
  installed: [
    'is shown because its program is on this machine',
    'With the search turned off it is not: lmapp config --set discovery false',
  ],
  embedded: ['is the engine of lmapp itself', 'Take it away with: lmapp engine remove'],
  mock: ['is there for this run', 'It is gone at the next start.'],
};

/** A question, when the server stands in the configuration; else where it comes from. */
export function askToRemove(state: State, event: Command, { info, origin }: BackendEntry): State {
  if (origin !== 'configuration') {
    const [why, hint] = NOT_CONFIGURED[origin];
    return withNotice(state, event, 'info', `${info.url === '' ? info.title : info.url} ${why}`, hint);
  }
  return openOverlay(state, 'question', info.id, {
    title: 'Remove a server',
    lines: [
      `${info.title} ${info.url} is taken out of the configuration. The server and its models stay as they are.`,
    ],
    choices: [
      { key: 'n', label: 'leave it', event: null },
      {
        key: 'y',
        label: 'remove it',
        event: { type: 'command.invoked', command: 'server.remove', argument: info.id },
      },
    ],
  });
}
