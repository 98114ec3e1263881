import type { Clock } from '../ports.js';
import { lossOf, type AppEvent, type Stamped } from './catalogue.js';

export type Subscriber = (event: Stamped) => void;

/** The one way from those who find something out to those who want to know. It never waits for a subscriber. */
export interface Bus {
  /** Delivers at once, or, when called during a delivery, after the events that wait already. */
  publish(event: AppEvent): void;
  /** Subscribers are called in the order in which they came; the store is the first. Returns a function that ends it. */
  subscribe(name: string, receive: Subscriber): () => void;
  /** Events that were dropped or joined because the queue was full, or refused because the chain was too deep. */
  readonly lost: number;
}

export interface BusOptions {
  readonly clock: Clock;
  /** Told of every subscriber that threw and every event that was refused; must not throw. */
  readonly onProblem: (where: string, error: unknown) => void;
  readonly queueLimit?: number;
  readonly depthLimit?: number;
  /** In a replay: the stamp that the event had when it was recorded. Ids are made from it, so it must be the same. */
  readonly recorded?: () => Stamp | null;
}

/** What the bus adds to an event: its number, epoch ms, monotonic ms. */
export type Stamp = Pick<Stamped, 'seq' | 'at' | 'mono'>;

const QUEUE_LIMIT = 10_000;
/** A chain of events that cause each other is never this long; a feedback loop is. */
const DEPTH_LIMIT = 64;

interface Waiting {
  event: AppEvent;
  readonly depth: number;
}

/** One ordered queue of typed events. A throwing subscriber is reported and does not stop the others. */
export function createBus(options: BusOptions): Bus {
  const { clock, onProblem } = options;
  const queueLimit = options.queueLimit ?? QUEUE_LIMIT;
  const depthLimit = options.depthLimit ?? DEPTH_LIMIT;
  const subscribers: { name: string; receive: Subscriber }[] = [];
  let queue: Waiting[] = [];
  let head = 0;
  let delivering = false;
  let depth = 0;
  let seq = 0;
  let lost = 0;

  function enqueue(event: AppEvent, eventDepth: number): void {
    if (queue.length - head >= queueLimit && makeRoomFor(event)) return;
    queue.push({ event, depth: eventDepth });
  }

  /** True when the event was joined into a waiting one. Events that must arrive go over the limit rather than be lost. */
  function makeRoomFor(event: AppEvent): boolean {
    const loss = lossOf(event.type);
    if (loss === 'must-arrive') return false;
    for (let i = queue.length - 1; i >= head; i--) {
      const waiting = queue[i];
      if (!waiting || waiting.event.type !== event.type || subjectOf(waiting.event) !== subjectOf(event))
        continue;
      if (loss === 'latest-wins') {
        waiting.event = event;
        lost++;
        return true;
      }
      const joined = join(waiting.event, event);
      if (!joined) return false;
      waiting.event = joined;
      return true;
    }
    return false;
  }

  function drain(): void {
    delivering = true;
    try {
      for (;;) {
        const next = queue[head];
        if (!next) break;
        head++;
        depth = next.depth;
        const recorded = options.recorded?.() ?? null;
        seq = recorded?.seq ?? seq + 1;
        const stamped: Stamped = {
          ...next.event,
          seq,
          at: recorded?.at ?? clock.now(),
          mono: recorded?.mono ?? clock.monotonic(),
        };
        for (const subscriber of subscribers.slice()) {
          try {
            subscriber.receive(stamped);
          } catch (error) {
            onProblem(subscriber.name, error);
          }
        }
      }
    } finally {
      queue = [];
      head = 0;
      depth = 0;
      delivering = false;
    }
  }

  return {
    publish(event) {
      if (delivering && depth >= depthLimit) {
        lost++;
        onProblem('bus', new Error(`event ${event.type} refused: ${depthLimit} events caused each other`));
        return;
      }
      enqueue(event, delivering ? depth + 1 : 0);
      if (!delivering) drain();
    },
    subscribe(name, receive) {
      const subscriber = { name, receive };
      subscribers.push(subscriber);
      return () => {
        const at = subscribers.indexOf(subscriber);
        if (at >= 0) subscribers.splice(at, 1);
      };
    },
    get lost() {
      return lost;
    },
  };
}

/** What an event is about: events of one type about different things never replace each other. */
function subjectOf(event: AppEvent): string {
  if ('turnId' in event) return event.turnId;
  if ('pullId' in event) return event.pullId;
  if (event.type === 'model.load.progressed') return event.key;
  if ('backendId' in event) return event.backendId;
  if (event.type === 'logs.progressed') return event.source;
  if (event.type === 'hardware.source') return `${event.machine ?? ''} ${event.source}`;
  if (
    event.type === 'hardware.sampled' ||
    event.type === 'hardware.detailed' ||
    event.type === 'gpus.sampled'
  )
    return event.machine ?? '';
  return '';
}

/** One event that says what both say, in their order. */
function join(first: AppEvent, second: AppEvent): AppEvent | null {
  if (
    (first.type === 'turn.text.delta' && second.type === 'turn.text.delta') ||
    (first.type === 'turn.reasoning.delta' && second.type === 'turn.reasoning.delta')
  )
    return { ...first, text: first.text + second.text, pieces: first.pieces + second.pieces };
  if (first.type === 'logs.appended' && second.type === 'logs.appended' && first.past === second.past)
    return { ...first, lines: [...first.lines, ...second.lines], skipped: first.skipped + second.skipped };
  return null;
}
