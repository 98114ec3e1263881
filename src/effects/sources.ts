import { builtProgram } from '../built-program.js';
import { setValue } from '../config/edit.js';
import type { LoadedSettings } from '../config/load.js';
import type { Files } from '../config/paths.js';
import { limitsOf } from '../domain/limits.js';
import { MOCK_MODEL } from '../domain/model.js';
import { modelMeant } from '../domain/set-up.js';
import type { BackendSetting, Settings } from '../domain/settings.js';
import { LmappError, messageOf } from '../errors.js';
import { existingFolder } from '../files.js';
import { readFacts } from '../hardware/facts.js';
import { openHistory } from '../sessions/history.js';
import { openPastLoads } from '../sessions/past-loads.js';
import { openRemembered } from '../sessions/remembered.js';
import type { Effect } from '../state/effect.js';
import { localPorts } from '../state/machines.js';
import { backendById, modelByKey } from '../state/state.js';
import { openLocalSource } from '../engine/open-local.js';
import { createAftermathWatch } from './aftermath.js';
import { createBackends } from './backends.js';
import { createChatEffects } from './chat.js';
import { openKeptChats } from './kept-chats.js';
import { openKeptModels } from './kept-models.js';
import { openLogs } from './logs.js';
import { createMachineEffects } from './machines.js';
import { createModelEffects } from './models.js';
import type { EffectHost } from './run.js';
import { createOwnServers } from './own-servers.js';
import { createServerEffects } from './servers.js';
import { createSetUpEffects } from './set-up.js';

/** What the sources need to know of the command line and the configuration. */
export interface SourceOptions {
  readonly files: Files;
  readonly settings: Settings;
  readonly settingsSources: Pick<LoadedSettings['sources'], 'model'>;
  readonly keyOf: (backend: BackendSetting) => string | null;
  readonly secrets: readonly string[];
  readonly urls: readonly string[];
  readonly mock: boolean;
  /** A model is run on this machine; what is missing for it is fetched without a question. */
  readonly embedded: boolean;
  /** See TuiOptions. */
  readonly tellStep: ((words: string) => void) | null;
  readonly continueLast: boolean;
  readonly gpu: boolean;
  readonly debug: boolean;
}

export interface Sources {
  run(effect: Effect): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  stopNow(): void;
  /** See Effects. */
  unsaved(): string | null;
}

/** Beginning of the keys of models that run here. */
const EMBEDDED_KEYS = 'embedded/';
/** Static facts start a child; it waits until the first seconds, when people look and type, are over. */
const FACTS_DELAY_MS = 1500;

/** Opens everything that reads or writes outside the program, and does the effects that concern it. */
export function openSources(host: EffectHost): Sources {
  const { publish, ports, options } = host;
  const { files, settings } = options;
  const { clock } = ports;
  const logs = openLogs(host);
  const keptChats = openKeptChats(files.chats, clock, publish);
  const history = openHistory(files.history);
  const remembered = openRemembered(files.remembered);
  const pastLoads = openPastLoads(files.loads);
  const keptModels = openKeptModels(files.models, clock, () => host.state().models.backends);
  const embedded = openLocalSource({
    ports,
    files,
    paths: settings.models.paths ?? [],
    silenceS: settings.pullTimeoutS,
    onLog: (level, text) => logs.logger[level](`engine: ${text}`),
  });
  const backends = createBackends({
    ports,
    publish,
    urls: options.urls,
    configured: settings.backends,
    keyOf: options.keyOf,
    discovery: settings.discovery,
    mock: options.mock,
    embedded: { source: embedded, wanted: options.embedded },
    focused: () => host.state().view.focused,
    ...(options.debug
      ? { onRequest: ({ method, url, ...rest }) => logs.logger.debug(`${method} ${url}`, rest) }
      : {}),
    limitsFor: (url) => limitsOf(host.state().settings, url),
    known: keptModels.atStart.map(({ backend, models }) => ({ info: backend, models })),
  });
  const servers = createServerEffects({
    file: files.config,
    env: ports.env,
    ports: clock,
    backends,
    publish,
    onSecret: logs.logger.addSecret,
    urlOf: (id) => backendById(host.state(), id)?.info.url ?? null,
  });
  const ownServers = createOwnServers({
    ports,
    publish,
    backends,
    serverOf(id) {
      const entry = backendById(host.state(), id);
      if (!entry) return null;
      const { kind, url } = entry.info;
      return { kind, url, away: entry.check.status.state === 'away' };
    },
    findFiles: embedded.files,
    folder: files.serverLogs,
  });
  const setUp = createSetUpEffects({
    ...{ ports, publish, files, source: embedded, backends },
    tellStep: options.tellStep,
  });
  const chats = createChatEffects({
    publish,
    settings: () => host.state().settings,
    async backendOf(key) {
      const model = modelByKey(host.state(), key);
      const backend = model && backends.backend(model.backendId);
      if (model && backend) return { model, backend };
      return key === MOCK_MODEL.key ? mockModel() : null;
    },
    onRequest: (backendId) => aftermath.requested(backendId),
  });
  const models = createModelEffects({
    clock,
    publish,
    keepAlive: () => host.state().settings.keepAlive,
    model: (key) => modelByKey(host.state(), key),
    backend: backends.backend,
  });
  const aftermath = createAftermathWatch(clock, publish);
  const machines = createMachineEffects({
    ports,
    publish,
    gpu: options.gpu,
    diskFolder: () => existingFolder(files.chats),
    serverPorts: () => localPorts(host.state()),
    childPath: builtProgram('facts-child.js'),
  });
  const abort = new AbortController();

  /** The mock joins the servers when an answer falls back to it. */
  async function mockModel() {
    backends.addMock();
    const backend = backends.backend(MOCK_MODEL.backendId);
    const model = (await backend?.models(abort.signal))?.[0];
    return model && backend ? { model, backend } : null;
  }

  function watchAfterStop(effect: Extract<Effect, { readonly type: 'turn.watch' }>): void {
    const model = modelByKey(host.state(), effect.modelKey);
    const backend = model && backends.backend(model.backendId);
    if (model && backend) aftermath.watch(effect.turnId, backend, model);
  }

  /** The first message then waits only for the load. Code and engine take half a second; a model that is only looked at is not loaded. */
  function warmEngine(key: string | null): void {
    if (key?.startsWith(EMBEDDED_KEYS))
      void embedded.engine().then((engine) => abort.signal.aborted || engine?.warm());
  }

  function save(key: string, value: unknown): void {
    try {
      setValue(files.config, key, value);
    } catch (error) {
      const hint = error instanceof LmappError ? error.hint : null;
      publish({
        type: 'notice.raised',
        level: 'warn',
        text: `${key} was not kept: ${messageOf(error)}`,
        hint,
      });
    }
  }

  async function tellFacts(): Promise<void> {
    if (abort.signal.aborted) return;
    const facts = await readFacts({
      cacheFile: files.facts,
      childPath: builtProgram('facts-child.js'),
      env: ports.env,
      now: clock.now,
    });
    if (!abort.signal.aborted) publish({ type: 'hardware.facts', facts });
  }

  function endAll(): void {
    abort.abort();
    aftermath.stop();
    chats.cancelAll();
    servers.stop();
    setUp.stop();
    models.stop();
    backends.stop();
    machines.stop();
  }

  return {
    run(effect) {
      switch (effect.type) {
        case 'chat.start':
          return chats.start(effect);
        case 'chat.cancel':
          return chats.cancel(effect.turnId);
        case 'turn.watch':
          return watchAfterStop(effect);
        case 'backends.refresh':
          return backends.refresh();
        case 'models.refresh':
          if (!options.mock) keptModels.writeSoon();
          return backends.refresh(effect.backendId);
        case 'models.cache':
          if (!options.mock) keptModels.writeSoon();
          return;
        case 'mock.add':
          return backends.addMock();
        case 'server.probe':
          return void servers.probe(effect);
        case 'server.save':
          return servers.save(effect);
        case 'server.remove':
          return servers.remove(effect);
        case 'server.start':
          return void ownServers.start(effect.backendId, effect.file);
        case 'server.stop':
          return ownServers.stop(effect.backendId);
        case 'servers.leave':
          return ownServers.leave();
        case 'model.load':
          return models.load(effect);
        case 'model.unload':
          return models.unload(effect.key);
        case 'model.delete':
          return models.delete(effect.key);
        case 'model.details':
          return models.details(effect.key);
        case 'pull.start':
          return models.startPull(effect);
        case 'pull.cancel':
          return models.cancelPull(effect.pullId);
        case 'setup.ask':
          return void setUp.ask(effect.entry);
        case 'setup.start':
          return void setUp.start(effect.wish);
        case 'setup.cancel':
          return setUp.cancel();
        case 'loads.keep':
          pastLoads.write(effect.loads);
          return;
        case 'model.remember':
          remembered.write({ model: effect.key });
          warmEngine(effect.key);
          return;
        case 'session.start':
          return keptChats.startChat(effect.chatId, effect.title);
        case 'session.write':
          return keptChats.write(effect.chatId, effect.turn);
        case 'session.list':
          return void keptChats.list();
        case 'session.open':
          return void keptChats.open(effect.chatId);
        case 'history.remember':
          history.append(effect.text);
          return;
        case 'settings.save':
          return save(effect.key, effect.value);
        case 'hardware.watch':
          return machines.watch(effect.machine, effect.intervalMs);
        case 'log.follow':
          return logs.follow(effect.backendId, effect.file);
        case 'log.unfollow':
          return logs.unfollow(effect.backendId);
        case 'log.save':
          return logs.save();
        case 'log.write':
          return logs.logger.log(effect.level, effect.message, effect.fields);
        default:
          // The others are done in run.ts.
          return;
      }
    },
    async start() {
      publish({ type: 'prompt.history.loaded', entries: history.read() });
      publish({ type: 'loads.remembered', loads: pastLoads.read() ?? [] });
      const key = remembered.read()?.model;
      if (key !== undefined && !options.mock) {
        publish({ type: 'model.remembered', key });
        if (settings.model === '') warmEngine(key);
      }
      if (!options.mock) setUp.look();
      const searching = backends.start();
      if (options.continueLast) await keptChats.continueLast();
      await searching;
      warmEngine(host.state().models.selected);
      if (!options.mock) {
        if (options.embedded) {
          const fromFlag = options.settingsSources.model.at(-1)?.from === 'flag';
          void setUp.startWithoutQuestion(modelMeant(settings.model, fromFlag, key ?? null));
        }
        void ownServers.look(settings.discovery);
        void setUp.lookForFiles();
      }
      await logs.start();
      clock.after(FACTS_DELAY_MS, () => void tellFacts());
    },
    async stop() {
      endAll();
      if (!options.mock) keptModels.close();
      await Promise.all([keptChats.close(), ownServers.close()]);
      logs.stop();
    },
    stopNow() {
      endAll();
      ownServers.closeNow();
      keptChats.flushSync();
      logs.stop();
    },
    unsaved: keptChats.unsaved,
  };
}
