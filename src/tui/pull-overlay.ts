import type { FormProps } from '../../widgets/form.js';
import { modelKey } from '../domain/model.js';
import { insteadOfPull, pullNamesOf } from '../domain/pull-names.js';
import { pullServers } from '../state/pull-commands.js';
import { backendById, type Overlay, type State } from '../state/state.js';
import type { OverlayItems } from './overlay-items.js';

/** The overlay for the name of a model to be fetched: a line to type in; with several servers that can, their choice. */
export function pullFormProps(state: State, { query, index, subject }: Overlay): FormProps {
  const servers = pullServers(state, subject);
  const focused = Math.min(index, servers.length - 1);
  const wanted = backendById(state, subject ?? '')?.info;
  const cannot = wanted !== undefined && !wanted.features.pull;
  const names = pullNamesOf(servers[focused]?.info.kind ?? '');
  return {
    fields: [
      {
        label: 'Name',
        text: query.text,
        cursor: query.cursor,
        placeholder: 'of the model',
        secret: false,
      },
    ],
    lines: [
      ...(cannot
        ? [
            {
              text: `${wanted.title} fetches no models by itself. ${insteadOfPull(wanted.kind)}`,
              token: 'warn' as const,
            },
          ]
        : []),
      ...(state.setUp.offer
        ? [
            {
              text: 'Small models for this machine itself are listed with c in the models pane.',
              token: 'muted' as const,
            },
          ]
        : []),
      ...(names === '' ? [] : [{ text: `It is ${names}.`, token: 'muted' as const }]),
      {
        text: 'What came before a pull was stopped is kept: pulled again it goes on from there.',
        token: 'muted',
      },
    ],
    choices: servers.map(({ info }) => `${info.title} ${info.url}`.trimEnd()),
    focused,
  };
}

/** Its choices are the servers; Enter pulls what was typed to the one in focus. */
export function pullItems(state: State, { query, subject }: Overlay): OverlayItems {
  const servers = pullServers(state, subject);
  const name = query.text.trim();
  return {
    picked: servers.map(({ info }) => ({
      item: { id: info.id, label: info.title, columns: [] },
      positions: [],
    })),
    total: servers.length,
    eventOf(index) {
      const id = servers[Math.min(index, servers.length - 1)]?.info.id;
      return id === undefined || name === ''
        ? null
        : { type: 'command.invoked', command: 'model.pull-name', argument: modelKey(id, name) };
    },
  };
}
