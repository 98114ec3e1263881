import type { AppEvent } from '../events/catalogue.js';
import type { Ports } from '../ports.js';
import type { Effect } from '../state/effect.js';
import type { State } from '../state/state.js';
import type { SourceOptions, Sources } from './sources.js';

/** What effects do to the terminal and the program; the dashboard gives these. */
export interface EffectHost {
  readonly ports: Ports;
  readonly publish: (event: AppEvent) => void;
  readonly state: () => State;
  readonly options: SourceOptions;
  /** What comes from outside is in the record: effects on servers, files and hardware are not done. */
  readonly replaying: boolean;
  openEditor(text: string): void;
  copy(text: string, what: string): void;
  redraw(): void;
  suspend(): void;
  quit(exitCode: number): void;
}

/** All that reaches out of the program: the only part that may wait, and be stopped. */
export interface Effects {
  run(effect: Effect): void;
  /** Loads and opens the sources: servers, machine, logs, chats. Called behind the first frame, so none of their code delays it. */
  start(): Promise<void>;
  /** Closes sockets, children and files; what is unwritten is written. */
  stop(): Promise<void>;
  /** The same as far as it goes without waiting, for a process that must end now. */
  stopNow(): void;
  /** After one of these: what of the chats is lost, and why. Null: nothing. */
  unsaved(): string | null;
}

/** The exhaustive map from effects to what does them. Effects that come before the sources are open wait for them. */
export function createEffects(host: EffectHost): Effects {
  let sources: Sources | null = null;
  let stopped = false;
  const waiting: Effect[] = [];

  function run(effect: Effect): void {
    switch (effect.type) {
      case 'event.publish':
        return host.publish(effect.event);
      case 'editor.open':
        return host.openEditor(effect.text);
      case 'clipboard.copy':
        return host.copy(effect.text, effect.what);
      case 'screen.redraw':
        return host.redraw();
      case 'app.suspend':
        return host.suspend();
      case 'app.quit':
        return host.quit(effect.exitCode);
      default:
        if (sources) sources.run(effect);
        else if (!host.replaying) waiting.push(effect);
    }
  }

  return {
    run,
    async start() {
      const { openSources } = await import('./sources.js');
      // Loading took a while: a key that was typed in it is shown before the sources are opened, which takes another while.
      await new Promise((resume) => setImmediate(resume));
      if (stopped) return;
      sources = openSources(host);
      for (const effect of waiting.splice(0)) sources.run(effect);
      await sources.start();
    },
    async stop() {
      stopped = true;
      await sources?.stop();
    },
    stopNow() {
      stopped = true;
      sources?.stopNow();
    },
    unsaved: () => sources?.unsaved() ?? null,
  };
}
