import { defaultSettings } from '../../src/config/schema.js';
import { NO_SAMPLE, type MachineSample } from '../../src/domain/hardware.js';
import { NO_FEATURES, type BackendInfo, type Model } from '../../src/domain/model.js';
import type { Settings } from '../../src/domain/settings.js';
import type { AppEvent, Stamped } from '../../src/events/catalogue.js';
import type { Effect } from '../../src/state/effect.js';
import { initialState, type State } from '../../src/state/state.js';
import { update } from '../../src/state/update.js';

/** The pure update, fed with events; every event comes a millisecond after the one before unless `pass` says more. */
export interface Machine {
  readonly state: State;
  /** Everything that was wanted so far. */
  readonly effects: readonly Effect[];
  send(...events: readonly AppEvent[]): Machine;
  command(command: string, argument?: string): Machine;
  type(text: string): Machine;
  pass(ms: number): Machine;
  /** Effects of a type, in order. */
  wanted<T extends Effect['type']>(type: T): readonly Extract<Effect, { type: T }>[];
  /** Texts of the notices, oldest first. */
  readonly told: readonly string[];
}

export function createMachine(settings: Partial<Settings> = {}): Machine {
  const all = { ...defaultSettings(), ...settings };
  let state = initialState(all);
  let seq = 0;
  let mono = 1000;
  const effects: Effect[] = [];
  const machine: Machine = {
    get state() {
      return state;
    },
    effects,
    send(...events) {
      for (const event of events) {
        mono += 1;
        const stamped: Stamped = { ...event, seq: ++seq, at: 1_700_000_000_000 + mono, mono };
        state = update(state, stamped, effects);
      }
      return machine;
    },
    command: (command, argument) =>
      machine.send({ type: 'command.invoked', command, ...(argument === undefined ? {} : { argument }) }),
    type: (text) => machine.send({ type: 'prompt.edited', edit: { op: 'insert', text } }),
    pass(ms) {
      mono += ms;
      return machine;
    },
    wanted: <T extends Effect['type']>(type: T) =>
      effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type),
    get told() {
      return state.notices.map((notice) => notice.text);
    },
  };
  return machine.send({ type: 'app.started', version: '1.2.3', settings: all, problems: [], idSeed: 'seed' });
}

export function server(id: string, change: Partial<BackendInfo> = {}): BackendInfo {
  return {
    id,
    kind: 'ollama',
    title: id.split('@')[0] ?? id,
    url: 'http://127.0.0.1:11434',
    features: { ...NO_FEATURES, load: true, unload: true, contextSize: true },
    ...change,
  };
}

export function modelOf(backendId: string, name: string, change: Partial<Model> = {}): Model {
  return {
    key: `${backendId}/${name}`,
    backendId,
    name,
    label: name,
    digest: null,
    sizeBytes: 1e9,
    family: null,
    parameters: null,
    quantization: null,
    contextMax: null,
    contextAllocated: null,
    capabilities: null,
    chat: true,
    remote: false,
    loadState: 'unloaded',
    loadProgress: null,
    memoryBytes: null,
    vramBytes: null,
    expiry: null,
    ...change,
  };
}

export const found = (info: BackendInfo, rank = 0, fixed = true): AppEvent => ({
  type: 'backend.found',
  backend: info,
  fixed,
  rank,
});
export const listed = (backendId: string, models: readonly Model[], fromCache = false): AppEvent => ({
  type: 'models.listed',
  backendId,
  models,
  fromCache,
});
export const searched: AppEvent = { type: 'backends.searched', found: 1 };
export const checked = (backendId: string, state: 'ready' | 'busy' | 'loading' = 'ready'): AppEvent => ({
  type: 'backend.checked',
  backendId,
  check: { status: { state }, version: null, processing: null, queued: null },
});
export const lost = (backendId: string): AppEvent => ({
  type: 'backend.lost',
  backendId,
  fault: { code: 'not-running', message: `${backendId} is not running`, hint: 'Start it.', status: null },
});

export const SAMPLE: MachineSample = {
  ...NO_SAMPLE,
  cpu: 0.5,
  memoryUsedBytes: 8e9,
  memoryTotalBytes: 16e9,
};

/** One server with one loaded model, ready to be asked. */
export function createReadyMachine(settings: Partial<Settings> = {}): Machine {
  return createMachine(settings).send(
    found(server('ollama@a')),
    checked('ollama@a'),
    listed('ollama@a', [modelOf('ollama@a', 'small', { loadState: 'loaded' })]),
    searched,
  );
}

/** Sends a message; returns the id of its turn. */
export function ask(machine: Machine, text: string): string {
  machine.type(text).send({ type: 'prompt.submitted' });
  return machine.state.chat.live?.id ?? '';
}
