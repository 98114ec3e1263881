import { openLocalSource } from '../engine/open-local.js';
import { createSanitizer } from '../../widgets/text/sanitize.js';
import type { ChatEvent } from '../backends/backend.js';
import { keyOf } from '../config/secrets.js';
import { type ChatMessage, prefillShare, type Usage } from '../domain/chat.js';
import { limitsOf } from '../domain/limits.js';
import { isOwnLimit, lengthText, samplingOf } from '../domain/sampling.js';
import { modelMeant } from '../domain/set-up.js';
import type { Settings } from '../domain/settings.js';
import { EXIT, LmappError } from '../errors.js';
import { openRemembered } from '../sessions/remembered.js';
import type { CommandContext } from './command.js';
import { chooseModel, type Choice } from './choose-model.js';
import { createFallback, nameOf } from './fallback.js';
import { askMock, askServers, type AskedServer } from './find-backends.js';
import type { Arguments } from './options.js';
import { isOn, listOf, textOf } from './options.js';
import { rememberModels } from './print-models.js';
import { requestLog } from './request-log.js';
import { settingsFor } from './settings.js';
import { isRemark, type Remark, remarksOn } from './remarks.js';
import { statusLine, type StatusLine } from './status-line.js';
import { untilAborted } from './until-aborted.js';
import { askUntilLoaded } from './wait-for-load.js';

type Ended = Extract<ChatEvent, { readonly type: 'ended' }>;

/** What an attempt needs beside its model. */
interface Asking {
  readonly context: CommandContext;
  readonly settings: Settings;
  readonly text: string;
  readonly json: boolean;
  readonly status: StatusLine;
  readonly signal: AbortSignal;
}

/** Asks one question. The answer streams to stdout; what happens meanwhile goes to stderr when that is a terminal. */
export async function answerOnce(
  context: CommandContext,
  args: Arguments,
  text: string,
  json: boolean,
): Promise<number> {
  const { ports, files, stderr } = context;
  const { settings, problems } = settingsFor(context, args);
  for (const problem of problems) stderr.write(`lmapp: ${problem}\n`);
  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort();
  // Not once: whoever watches over npm would take a signal without another listener for the end of this program.
  process.on('SIGINT', onInterrupt);
  const status = statusLine(stderr);
  try {
    const remembered = openRemembered(files.remembered).read()?.model ?? null;
    const source = openLocalSource({
      ports,
      files,
      paths: settings.models.paths ?? [],
      silenceS: settings.pullTimeoutS,
    });
    if (isOn(args, 'embedded')) {
      const { embeddedHere } = await import('./embedded-here.js');
      const { signal } = abort;
      const meant = modelMeant(settings.model, textOf(args, 'model') !== null, remembered);
      const here = await embeddedHere({ context, source, meant, status, signal });
      if (here === null) return EXIT.interrupted;
      const asking = { context, settings, text, json, status, signal };
      const chosen = { ...settings, model: here.model };
      return await askInTurn(asking, [here.server], () => chooseModel([here.server], chosen, null));
    }
    status.show('looking for servers');
    const onRequest = requestLog(context, args, settings);
    const servers = await untilAborted(
      askUntilLoaded({
        ask: () =>
          askServers({
            ports,
            settings,
            urls: listOf(args, 'url'),
            mock: isOn(args, 'mock'),
            embedded: source,
            keyOf: (backend) => keyOf(backend, ports.env),
            modelsFile: files.models,
            signal: abort.signal,
            onRequest,
          }),
        settings,
        clock: ports.clock,
        status,
        signal: abort.signal,
      }),
      abort.signal,
    );
    if (servers === null) return EXIT.interrupted;
    rememberModels(files.models, servers);
    const asking = { context, settings, text, json, status, signal: abort.signal };
    return await askInTurn(asking, servers, () => chooseModel(servers, settings, remembered));
  } finally {
    status.clear();
    process.off('SIGINT', onInterrupt);
  }
}

/** Asks the chosen model; one that cannot start gives way to the next of the fall-back list, or the way to have that is said. */
async function askInTurn(
  asking: Asking,
  servers: readonly AskedServer[],
  choose: () => Choice,
): Promise<number> {
  const { context, settings, json, status, signal } = asking;
  const tell = (text: string): void => {
    status.clear();
    context.stderr.write(`lmapp: ${text}\n`);
  };
  const list = createFallback({
    names: settings.fallback,
    servers,
    mock: () => askMock(context.ports.clock, signal),
    onUnknown: tell,
  });
  let { choice, problem } = chosen(choose);
  for (;;) {
    const told = choice ? await attempt(asking, choice) : NOTHING;
    const reason = problem?.message ?? reasonNotStarted(told);
    const next = reason === null || signal.aborted ? null : await list.next(choice);
    if (reason === null || next === null || settings.fallbackMode !== 'auto') {
      if (next) tell(`--fallback auto would go on with ${nameOf(next)}`);
      if (problem) throw problem;
      for (const remark of json ? [] : remarksOn(told.remarks, choice)) tell(remark);
      tellCutOff(told, settings, tell);
      if (json && told.ended) await write(context, `${JSON.stringify(told.ended)}\n`);
      return exitCodeOf(context, told.ended);
    }
    const from = choice ? nameOf(choice) : settings.model || 'the model';
    tell(`${from} could not start (${reason.replace(/\.$/, '')}); ${nameOf(next)} answers`);
    if (json) {
      const fault = told.ended?.fault ?? { code: problem?.code ?? 'broken', message: reason };
      const event = { type: 'fell-back', from: { ...keysOf(choice), fault }, to: keysOf(next) };
      await write(context, `${JSON.stringify(event)}\n`);
    }
    choice = next;
    problem = null;
  }
}

function chosen(choose: () => Choice): { choice: Choice | null; problem: LmappError | null } {
  try {
    return { choice: choose(), problem: null };
  } catch (error) {
    if (error instanceof LmappError) return { choice: null, problem: error };
    throw error;
  }
}

function keysOf(choice: Choice | null): { model: string | null; server: string | null } {
  return { model: choice?.model.key ?? null, server: choice?.server.url ?? null };
}

interface Told {
  readonly ended: Ended | null;
  readonly usage: Partial<Usage>;
  /** The model said something. */
  readonly spoke: boolean;
  /** What else came: who answered, what was not read, what a server has to say. */
  readonly remarks: readonly Remark[];
}

const NOTHING: Told = { ended: null, usage: {}, spoke: false, remarks: [] };

/** Why nothing was said, in one sentence; null when the model spoke, answered with nothing, or was stopped. */
function reasonNotStarted({ ended, spoke }: Told): string | null {
  if (spoke || ended?.outcome === 'complete' || ended?.outcome === 'cancelled') return null;
  return ended?.fault?.message ?? 'the stream ended before it began';
}

async function attempt(asking: Asking, { model, server }: Choice): Promise<Told> {
  const { settings, text, status, signal } = asking;
  status.show(`${model.label} · ${server.title}`);
  const system: ChatMessage[] = settings.system === '' ? [] : [{ role: 'system', content: settings.system }];
  const { firstByteMs, idleMs } = limitsOf(settings, server.url);
  const events = server.backend?.chat(
    {
      model,
      messages: [...system, { role: 'user', content: text }],
      keepAlive: settings.keepAlive,
      sampling: samplingOf(settings),
      firstByteTimeoutMs: firstByteMs ?? 0,
      idleTimeoutMs: idleMs ?? 0,
    },
    signal,
  );
  return events ? print(asking, events) : NOTHING;
}

async function write({ stdout }: CommandContext, text: string): Promise<void> {
  // A slow reader slows the server down instead of filling the memory.
  if (!stdout.write(text)) await new Promise((resolve) => stdout.once('drain', resolve));
}

/** Prints what comes; the end is returned. */
async function print({ context, json, status }: Asking, events: AsyncIterable<ChatEvent>): Promise<Told> {
  let last = '\n';
  let ended: Ended | null = null;
  let spoke = false;
  let usage: Partial<Usage> = {};
  const remarks: Remark[] = [];
  const show = async (text: string): Promise<void> => {
    status.clear();
    await write(context, text);
  };
  // A model may write escape sequences: a terminal would obey them. A file or a pipe gets the answer as it is.
  const sanitizer = context.stdout.isTTY ? createSanitizer() : null;
  for await (const event of events) {
    if (event.type === 'text' || event.type === 'reasoning') spoke = true;
    if (event.type === 'usage') usage = { ...usage, ...event.usage };
    if (isRemark(event)) remarks.push(event);
    if (event.type === 'ended') ended = event;
    else if (json) await show(`${JSON.stringify(event)}\n`);
    else if (event.type === 'text') {
      const text = sanitizer ? sanitizer.push(event.text) : event.text;
      if (text === '') continue;
      await show(text);
      last = text.at(-1) ?? last;
    } else status.show(phaseOf(event));
  }
  if (!json && last !== '\n') await show('\n');
  return { ended, usage, spoke, remarks };
}

function phaseOf(event: ChatEvent): string {
  switch (event.type) {
    case 'queued':
      return 'waiting for the server';
    case 'loading':
      return event.progress === null
        ? 'loading the model'
        : `loading the model, ${Math.round(event.progress * 100)} %`;
    case 'prefill': {
      const share = prefillShare(event.progress);
      if (event.progress.total > 0)
        return `prompt, ${event.progress.processed} of ${event.progress.total} tokens`;
      return share === null ? 'prompt' : `prompt, ${Math.round(share * 100)} %`;
    }
    case 'reasoning':
      return 'thinking';
    default:
      return '';
  }
}

/** An answer that was cut off is no failure, and is not all either. */
function tellCutOff({ ended, usage }: Told, settings: Settings, tell: (text: string) => void): void {
  if (ended?.outcome !== 'complete' || ended.reason !== 'length') return;
  const sampling = samplingOf(settings);
  const next = isOwnLimit(sampling, usage) === false ? '' : ' (--max-tokens N sets another limit)';
  tell(`the answer was ${lengthText(sampling, usage, false)}${next}`);
}

function exitCodeOf({ stderr }: CommandContext, ended: Ended | null): number {
  if (ended?.outcome === 'complete') return EXIT.ok;
  if (ended?.outcome === 'cancelled') return EXIT.interrupted;
  const { message, hint } = ended?.fault ?? {
    message: 'The answer ended before it was complete.',
    hint: 'The server told no reason: ask again, or look into its log.',
  };
  stderr.write(`lmapp: ${message}${hint === null ? '' : `\n${hint}`}\n`);
  return EXIT.failure;
}
