import path from 'node:path';
import { backendTypeOf } from '../backends/registry.js';
import { isAt } from '../backends/typed-address.js';
import { FOLLOWING, STARTING } from '../domain/log.js';
import { placeText, readPlace, type LogPlace, type ReadPlace } from '../domain/log-place.js';
import { createLogger, type Logger } from '../logs/logger.js';
import type { LogSource } from '../logs/log-source.js';
import { openSource } from '../logs/open-source.js';
import { placeOfServer, sourceName } from '../logs/server-place.js';
import { messageOf } from '../errors.js';
import { backendById } from '../state/state.js';
import type { EffectHost } from './run.js';

export interface Logs {
  readonly logger: Logger;
  /** Loads winston and begins to follow what the user named. */
  start(): Promise<void>;
  /** Finds the log of a server and follows it; again when it has another place now. `file`: the output of one that was started from here. */
  follow(backendId: string, file?: string): void;
  unfollow(backendId: string): void;
  /** Writes what the log pane shows to a file. */
  save(): void;
  stop(): void;
}

/** Lines of every source that were written before. */
const FIRST_LINES = 200;
/** Looking for the log of a server waits until the first lists of models are there, and takes several servers together. */
const FIND_DELAY_MS = 500;
const OWN = 'lmapp';

interface Followed {
  readonly name: string;
  readonly source: LogSource;
  /** Named by the user: stays whatever servers do. */
  readonly asked: boolean;
  /** The servers whose log it is. */
  readonly backendIds: Set<string>;
  /** Publishes what is known of it. */
  readonly tell: () => void;
}

/** Our own log, what the user named, and the logs of servers; all of them feed the log pane. */
export function openLogs(host: EffectHost): Logs {
  const { publish, options, ports } = host;
  const logger = createLogger({
    file: options.files.log,
    level: options.debug ? 'debug' : 'info',
    secrets: options.secrets,
    onLines: (lines, skipped) => publish({ type: 'logs.appended', lines, skipped }),
    onTrouble: ({ message, hint }) => publish({ type: 'notice.raised', level: 'warn', text: message, hint }),
  });
  /** By place. */
  const followed = new Map<string, Followed>();
  const abort = new AbortController();

  function open(place: LogPlace, asked: boolean, backendId: string | null): void {
    const text = placeText(place);
    const known = followed.get(text);
    if (known) {
      if (backendId === null || known.backendIds.has(backendId)) return;
      known.backendIds.add(backendId);
      return known.tell();
    }
    const name = freeName(place, backendId);
    const backendIds = new Set(backendId === null ? [] : [backendId]);
    let state = STARTING;
    const tell = (): void =>
      publish({
        type: 'logs.source',
        source: name,
        place: text,
        asked,
        ...(backendIds.size === 0 ? {} : { backendIds: [...backendIds] }),
        state,
      });
    const source = openSource({
      place,
      source: name,
      ports,
      lines: FIRST_LINES,
      onLines: (lines, skipped, past) =>
        publish({ type: 'logs.appended', lines, skipped, ...(past ? { past: true as const } : {}) }),
      onState(next) {
        state = next;
        tell();
      },
      onProgress: (line) => publish({ type: 'logs.progressed', source: name, line }),
    });
    followed.set(text, { name, source, asked, backendIds, tell });
  }

  /** Lines are told apart by the name of their source. */
  function freeName(place: LogPlace, backendId: string | null): string {
    const server = backendId === null ? null : (backendById(host.state(), backendId)?.info ?? null);
    return sourceName(place, server, new Set([OWN, ...[...followed.values()].map(({ name }) => name)]));
  }

  async function findAndFollow(backendId: string): Promise<void> {
    const server = backendById(host.state(), backendId);
    if (!server || abort.signal.aborted) return;
    const { url, kind } = server.info;
    const own = host.state().models.started.get(backendId);
    const setting = options.settings.backends.find((each) => isAt(each, url));
    const read: ReadPlace | null =
      own && setting?.log === undefined
        ? { ok: true, place: { via: 'file', path: own.logFile } }
        : await placeOfServer({
            url,
            log: setting?.log,
            machine: setting?.machine,
            usual: backendTypeOf(kind)?.logPlaces ?? {},
            ports,
            signal: abort.signal,
          });
    if (abort.signal.aborted) return;
    if (read?.ok === false)
      return publish({
        type: 'notice.raised',
        level: 'warn',
        text: `the log of ${url} is not followed: ${read.reason}`,
        hint: 'Change "log" of this server in the configuration.',
      });
    if (read) openInstead(read.place, setting?.log !== undefined, backendId);
  }

  /** It had another log before it was started anew. */
  function openInstead(place: LogPlace, asked: boolean, backendId: string): void {
    const text = placeText(place);
    for (const [at, one] of followed)
      if (at !== text && one.backendIds.delete(backendId)) closeUnused(at, one);
    open(place, asked, backendId);
  }

  /** A child of ours says something before it listens, when nobody could find its log yet. */
  function openOwn(backendId: string, file: string): void {
    const url = backendById(host.state(), backendId)?.info.url ?? '';
    const asked = options.settings.backends.find((each) => isAt(each, url))?.log;
    if (asked === undefined) openInstead({ via: 'file', path: file }, false, backendId);
  }

  function closeUnused(place: string, one: Followed): void {
    if (one.asked || one.backendIds.size > 0) return;
    one.source.stop();
    followed.delete(place);
    publish({ type: 'logs.closed', source: one.name });
  }

  async function save(): Promise<void> {
    try {
      const { saveLog } = await import('./save-log.js');
      const { file, lines } = await saveLog(host.state().logs, ports.clock);
      publish({
        type: 'notice.raised',
        level: 'good',
        text: `${lines} ${lines === 1 ? 'line' : 'lines'} of the log written to ${file}`,
        hint: null,
      });
    } catch (error) {
      publish({
        type: 'notice.raised',
        level: 'bad',
        text: `the log was not written: ${messageOf(error)}`,
        hint: 'Start lmapp in a folder in which you may write.',
      });
    }
  }

  return {
    logger,
    async start() {
      await logger.start();
      if (abort.signal.aborted) return;
      const own = placeText({ via: 'file', path: options.files.log });
      publish({ type: 'logs.source', source: OWN, place: own, asked: false, state: FOLLOWING });
      for (const text of options.settings.follow) {
        const read = readPlace(text);
        if (read.ok) open(inThisFolder(read.place), true, null);
        else
          publish({
            type: 'notice.raised',
            level: 'warn',
            text: `${text} is not followed: ${read.reason}`,
            hint: 'Change "follow" in the configuration.',
          });
      }
    },
    follow(backendId, file) {
      if (file !== undefined) return openOwn(backendId, file);
      ports.clock.after(FIND_DELAY_MS, () => void findAndFollow(backendId));
    },
    unfollow(backendId) {
      for (const [place, one] of followed) if (one.backendIds.delete(backendId)) closeUnused(place, one);
    },
    save: () => void save(),
    stop() {
      abort.abort();
      for (const { source } of followed.values()) source.stop();
      logger.close();
    },
  };
}

/** Two ways to write a path are one place. */
function inThisFolder(place: LogPlace): LogPlace {
  return place.via === 'file' && !place.path.startsWith('~/')
    ? { via: 'file', path: path.resolve(place.path) }
    : place;
}
