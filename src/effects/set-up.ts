import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { builtProgram } from '../built-program.js';
import type { Files } from '../config/paths.js';
import type { ModelMeant, SetUpEnd, SetUpOffer, SetUpProgress, SetUpWish } from '../domain/set-up.js';
import { asOnePull, stepOf, wishWithoutQuestion } from '../domain/set-up.js';
import { ENGINE_CHILD } from '../engine/open-local.js';
import { setUpOffer, withFiles, type SetUpPorts } from '../engine/set-up-offer.js';
import type { EmbeddedSource } from '../engine/source.js';
import { findNvidiaSmi } from '../hardware/nvidia-smi.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Ports } from '../ports.js';
import type { Backends } from './backends.js';

export interface SetUpEffectsOptions {
  readonly ports: Ports;
  readonly publish: (event: AppEvent) => void;
  readonly files: Files;
  readonly source: EmbeddedSource;
  readonly backends: Pick<Backends, 'addEmbedded' | 'refresh'>;
  /** See TuiOptions. */
  readonly tellStep: ((words: string) => void) | null;
}

export interface SetUpEffects {
  /** Tells what could be set up; of model files only when they have been looked for. */
  look(): void;
  lookForFiles(): Promise<void>;
  ask(entry: string | null): Promise<void>;
  start(wish: SetUpWish): Promise<void>;
  cancel(): void;
  /** `--embedded`: what is missing is fetched without a question. */
  startWithoutQuestion(meant: ModelMeant): Promise<void>;
  stop(): void;
}

/** The screen needs no more reports than this. */
const PROGRESS_EVERY_MS = 250;

/** Does what is wanted for a model that runs on this machine without a server. */
export function createSetUpEffects(options: SetUpEffectsOptions): SetUpEffects {
  const { ports, source, backends, files } = options;
  const { clock } = ports;
  const stopped = new AbortController();
  const setUpPorts: SetUpPorts = {
    ports,
    source,
    directory: files.engine,
    childPath: builtProgram(ENGINE_CHILD),
    nvidia: findNvidiaSmi(ports) !== null,
  };
  let running: AbortController | null = null;
  let known: SetUpOffer['files'] = null;

  function publish(event: AppEvent): void {
    if (!stopped.signal.aborted) options.publish(event);
  }

  function offer(): SetUpOffer | null {
    const now = setUpOffer(setUpPorts);
    return now && { ...now, files: known };
  }

  async function lookForFiles(): Promise<void> {
    const now = offer();
    if (!now) return;
    const told = await withFiles(now, source, stopped.signal).catch(() => now);
    known = told.files;
    publish({ type: 'setup.looked', offer: told });
  }

  async function hubAnswers(): Promise<boolean> {
    const engine = await import('../engine/set-up.js');
    return engine.hubAnswers(setUpPorts, stopped.signal);
  }

  async function start(wish: SetUpWish): Promise<void> {
    const abort = new AbortController();
    running = abort;
    const engine = await import('../engine/set-up.js');
    let shown = -Infinity;
    let phase = '';
    let step = '';
    const tell = (words: string): void => {
      if (words !== step && words !== '') options.tellStep?.(sanitizeLine(words));
      step = words;
    };
    const show = (progress: SetUpProgress): void => {
      tell(stepOf(progress, wish));
      const now = `${asOnePull(progress).progress.phase} ${progress.model?.phase ?? ''}`;
      if (now === phase && clock.monotonic() - shown < PROGRESS_EVERY_MS) return;
      [phase, shown] = [now, clock.monotonic()];
      publish({ type: 'setup.progressed', progress });
    };
    const end = await engine.setUp(setUpPorts, wish, show, AbortSignal.any([abort.signal, stopped.signal]));
    running = null;
    if (stopped.signal.aborted) return;
    tell(endOf(end));
    publish({ type: 'setup.ended', end });
    if (end.outcome !== 'done') return;
    backends.addEmbedded();
    backends.refresh('embedded');
  }

  return {
    look: () => publish({ type: 'setup.looked', offer: offer() }),
    lookForFiles,
    async ask(entry) {
      const answers = await hubAnswers();
      const now = offer();
      if (now) publish({ type: 'setup.asked', offer: now, hubAnswers: answers, entry });
    },
    start,
    cancel: () => running?.abort(),
    async startWithoutQuestion(meant) {
      const now = offer();
      if (!now) return publish({ type: 'setup.looked', offer: null });
      const found = await source.files(stopped.signal).catch(() => []);
      const wish = await wishWithoutQuestion(found, meant, now.freeBytes, hubAnswers);
      // A name that is not for this machine is told like any other that no server has.
      if (!wish) return;
      if (wish.kind === 'file' && now.engine === null)
        return publish({ type: 'setup.ended', end: { outcome: 'done', name: wish.name } });
      publish({ type: 'command.invoked', command: 'setup.start', argument: `${wish.kind} ${wish.name}` });
    },
    stop() {
      stopped.abort();
    },
  };
}

function endOf(end: SetUpEnd): string {
  if (end.outcome === 'done') return `${end.name} is on this machine`;
  return end.outcome === 'failed' ? `${end.fault.message} ${end.fault.hint ?? ''}`.trim() : 'stopped';
}
