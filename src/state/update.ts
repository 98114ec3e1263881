import type { Stamped } from '../events/catalogue.js';
import { updateTurn } from './chat.js';
import { openChat } from './chats.js';
import { sendWaiting, submit, updateCommand } from './commands.js';
import { afterTurn, withDetailsInQuestion } from './context-commands.js';
import type { Effect } from './effect.js';
import { tellUnknownFallback } from './fallback.js';
import { onFirstModels } from './first-message.js';
import { learnFromLoads } from './fit.js';
import { updateHardware, watchWhatIsShown } from './hardware.js';
import { goOnAfterDetails, goOnAfterUnload } from './load-commands.js';
import { followLoads } from './log-warnings.js';
import { followServerLogs, updateLogs } from './logs.js';
import { tellStuckUnloads } from './model-list.js';
import { updateModels } from './models.js';
import { withNotice } from './notices.js';
import { tellPressure } from './pressure.js';
import { editPrompt } from './prompt.js';
import { updateOwnServers } from './own-servers.js';
import { updateSetUp } from './set-up.js';
import { updateServerForm } from './server-form.js';
import { askNextShape } from './shapes.js';
import { onTick } from './silence.js';
import { emptyChat, type State } from './state.js';
import { followTurnLog } from './turn-log.js';
import { updateView } from './view.js';

/**
 * The one transition of the program: pure, total, without clock or random. Wanted effects are pushed to `out`. An event that a slice
 * does not know leaves it as it is, the very same object, so that selectors can compare by identity.
 */
export function update(state: State, event: Stamped, out: Effect[]): State {
  const folded = followLoads(state, followTurnLog(fold(state, event, out), event), event);
  const next = watchWhatIsShown(state, folded, out);
  // An armed quit is disarmed by anything else that is typed.
  if (next.view.quitArmedMono !== null && event.type === 'prompt.edited')
    return { ...next, view: { ...next.view, quitArmedMono: null } };
  return next;
}

function fold(state: State, event: Stamped, out: Effect[]): State {
  if ('turnId' in event) return afterTurn(updateTurn(state, event, out), event, out);
  switch (event.type) {
    case 'app.started':
      return onStarted(state, event, out);
    case 'app.faulted':
      return withNotice(
        state,
        event,
        'bad',
        `${event.where}: ${event.message}`,
        'The log says more (lmapp --debug).',
      );
    case 'clock.ticked':
      return askNextShape(goOnAfterDetails(tellStuckUnloads(onTick(state, event), event), event, out), out);
    case 'command.invoked':
      return updateCommand(state, event, out);
    case 'prompt.edited':
      return onEdited(state, event);
    case 'prompt.submitted':
      return submit(state, event, out);
    case 'prompt.history.loaded':
      return { ...state, prompt: { ...state.prompt, history: event.entries } };
    case 'session.listed':
      return { ...state, chat: { ...state.chat, chats: event.chats } };
    case 'session.opened':
      return openChat(state, event, event.chat);
    case 'session.failed':
      return withNotice(state, event, 'bad', event.message, event.hint);
    case 'notice.raised':
      return withNotice(state, event, event.level, event.text, event.hint);
    case 'hardware.sampled':
    case 'hardware.detailed':
    case 'gpus.sampled':
      return tellPressure(updateHardware(state, event), event);
    case 'memory.checked':
      return tellPressure(state, event);
    case 'hardware.facts':
    case 'hardware.source':
      return updateHardware(state, event);
    case 'logs.appended':
    case 'logs.source':
    case 'logs.closed':
    case 'logs.progressed':
    case 'logs.picked':
      return updateLogs(state, event, out);
    default:
      return updateOthers(state, event, out);
  }
}

/** What concerns the view and the servers. */
function updateOthers(state: State, event: Stamped, out: Effect[]): State {
  const viewed = updateServerForm(updateView(state, event, out), event);
  const learned = learnFromLoads(updateModels(viewed, event, out), event, out);
  const models = goOnAfterDetails(goOnAfterUnload(learned, event, out), event, out);
  const known = withDetailsInQuestion(updateOwnServers(models, event), event);
  followServerLogs(state, known, event, out);
  const setUp = updateSetUp(tellUnknownFallback(known, event), event);
  const isReady = state.setUp.awaited !== null && setUp.setUp.awaited === null;
  return isReady ? sendWaiting(setUp, event, out) : onFirstModels(state, setUp, event, out, sendWaiting);
}

function onStarted(state: State, event: Stamped & { type: 'app.started' }, out: Effect[]): State {
  const started: State = {
    ...state,
    // A record of an earlier version lacks the settings that came later.
    settings: { ...state.settings, ...event.settings },
    idSeed: event.idSeed,
    at: event.at,
    mono: event.mono,
    chat: emptyChat(event.idSeed),
    view: { ...state.view, layout: event.settings.layout },
    hardware: { ...state.hardware, intervalMs: event.settings.sampleMs },
    logs: { ...state.logs, level: event.settings.logLevel },
  };
  out.push({ type: 'log.write', level: 'info', message: `lmapp ${event.version} started`, fields: {} });
  return event.problems.reduce((s, problem) => withNotice(s, event, 'warn', problem, null), started);
}

/** Up on an empty message takes back the last waiting message before it goes to the history. */
function onEdited(state: State, event: Stamped & { type: 'prompt.edited' }): State {
  const { edit } = event;
  const waiting = state.chat.queue.at(-1);
  if (edit.op === 'history' && edit.direction < 0 && state.prompt.text === '' && waiting !== undefined)
    return {
      ...state,
      prompt: editPrompt(state.prompt, { op: 'set', text: waiting }),
      chat: { ...state.chat, queue: state.chat.queue.slice(0, -1) },
    };
  return { ...state, prompt: editPrompt(state.prompt, edit) };
}
