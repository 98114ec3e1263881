import { createSanitizer } from '../../widgets/text/sanitize.js';
import type { ChatEvent } from '../backends/backend.js';
import { keyOf } from '../config/secrets.js';
import { type ChatMessage, prefillShare } from '../domain/chat.js';
import { findModel } from '../domain/find-model.js';
import type { Model } from '../domain/model.js';
import { nearestNames } from '../domain/names.js';
import type { Settings } from '../domain/settings.js';
import { EXIT, LmappError } from '../errors.js';
import { openRemembered } from '../sessions/remembered.js';
import type { CommandContext } from './command.js';
import type { AskedServer } from './find-backends.js';
import { askServers } from './find-backends.js';
import type { Arguments } from './options.js';
import { isOn, listOf } from './options.js';
import { rememberModels } from './print-models.js';
import { requestLog } from './request-log.js';
import { settingsFor } from './settings.js';
import { statusLine, type StatusLine } from './status-line.js';
import { untilAborted } from './until-aborted.js';

type Ended = Extract<ChatEvent, { readonly type: 'ended' }>;

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
  process.once('SIGINT', onInterrupt);
  const status = statusLine(stderr);
  try {
    status.show('looking for servers');
    const servers = await untilAborted(
      askServers({
        ports,
        settings,
        urls: listOf(args, 'url'),
        mock: isOn(args, 'mock'),
        keyOf: (backend) => keyOf(backend, ports.env),
        signal: abort.signal,
        onRequest: requestLog(context, args, settings),
      }),
      abort.signal,
    );
    if (servers === null) return EXIT.interrupted;
    rememberModels(files.models, servers);
    const { model, server } = chooseModel(
      servers,
      settings,
      openRemembered(files.remembered).read()?.model ?? null,
    );
    status.show(`${model.label} · ${server.title}`);
    const messages: ChatMessage[] =
      settings.system === '' ? [] : [{ role: 'system', content: settings.system }];
    const events = server.backend?.chat(
      {
        model,
        messages: [...messages, { role: 'user', content: text }],
        keepAlive: settings.keepAlive,
        firstByteTimeoutMs: settings.firstByteTimeoutS * 1000,
        idleTimeoutMs: settings.idleTimeoutS * 1000,
      },
      abort.signal,
    );
    const ended = events ? await print(context, events, json, status) : null;
    return exitCodeOf(context, ended);
  } finally {
    status.clear();
    process.off('SIGINT', onInterrupt);
  }
}

async function print(
  { stdout }: CommandContext,
  events: AsyncIterable<ChatEvent>,
  json: boolean,
  status: StatusLine,
): Promise<Ended | null> {
  let last = '\n';
  let ended: Ended | null = null;
  const write = async (text: string): Promise<void> => {
    status.clear();
    // A slow reader slows the server down instead of filling the memory.
    if (!stdout.write(text)) await new Promise((resolve) => stdout.once('drain', resolve));
  };
  // A model may write escape sequences: a terminal would obey them. A file or a pipe gets the answer as it is.
  const sanitizer = stdout.isTTY ? createSanitizer() : null;
  for await (const event of events) {
    if (event.type === 'ended') ended = event;
    if (json) await write(`${JSON.stringify(event)}\n`);
    else if (event.type === 'text') {
      const text = sanitizer ? sanitizer.push(event.text) : event.text;
      if (text === '') continue;
      await write(text);
      last = text.at(-1) ?? last;
    } else status.show(phaseOf(event));
  }
  if (!json && last !== '\n') await write('\n');
  return ended;
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

function exitCodeOf({ stderr }: CommandContext, ended: Ended | null): number {
  if (ended?.outcome === 'complete') return EXIT.ok;
  if (ended?.outcome === 'cancelled') return EXIT.interrupted;
  const { message, hint } = ended?.fault ?? {
    message: 'The answer ended before it was complete.',
    hint: null,
  };
  stderr.write(`lmapp: ${message}${hint === null ? '' : `\n${hint}`}\n`);
  return EXIT.failure;
}

interface Choice {
  readonly model: Model;
  readonly server: AskedServer;
}

function chooseModel(servers: readonly AskedServer[], settings: Settings, remembered: string | null): Choice {
  const all = servers.flatMap(({ models }) => models);
  const model =
    settings.model === ''
      ? (all.find(({ key, chat }) => key === remembered && chat) ?? all.find(({ chat }) => chat) ?? null)
      : findModel(all, settings.model);
  const server = servers.find(({ models }) => model !== null && models.includes(model));
  if (model !== null && server !== undefined) return { model, server };
  const reasons = servers.flatMap(({ title, url, fault }) =>
    fault ? [`${title} ${url}: ${fault.message} ${fault.hint ?? ''}`.trimEnd()] : [],
  );
  if (all.length === 0) {
    throw new LmappError('no-model', reasons[0] ?? 'no model server was found', {
      hint:
        reasons.slice(1).join('\n') ||
        'Start one, for example with "ollama serve", name one with --url, or try --mock.',
    });
  }
  if (settings.model === '')
    throw new LmappError('no-model', 'no server has a model that can chat', {
      hint: 'lmapp models lists all.',
    });
  const names = all.map(({ label }) => label);
  const nearest = nearestNames(settings.model, names);
  throw new LmappError(
    'unknown-model',
    [`no server has the model ${settings.model}`, ...reasons].join('\n'),
    {
      hint:
        nearest.length > 0
          ? `Did you mean ${nearest.join(' or ')}?`
          : `There is ${names.slice(0, 5).join(', ')}.`,
      exitCode: EXIT.usage,
    },
  );
}
