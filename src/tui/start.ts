import os from 'node:os';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../widgets/glyphs.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { themeNamed } from '../../widgets/themes/registry.js';
import type { TuiOptions } from '../commands/tui-options.js';
import { createEffects, type Effects } from '../effects/run.js';
import { EXIT, messageOf } from '../errors.js';
import { createBus, type Stamp } from '../events/bus.js';
import type { Stamped } from '../events/catalogue.js';
import type { Recorder } from '../events/record.js';
import { untilBeat } from '../ports.js';
import { newIdSeed } from '../sessions/id-seed.js';
import { createStore } from '../state/store.js';
import { initialState } from '../state/state.js';
import { wantsAscii } from '../terminal/capabilities.js';
import { createTerminal, type TerminalOptions } from '../terminal/create.js';
import { createDashboard } from './dashboard.js';
import { createFrames } from './frame.js';
import type { IdleCollector } from './heap.js';
import { createInput } from './input.js';
import { createKeymap } from './keymap.js';
import { createReplayWatch } from './replay-watch.js';
import { selectWays } from './ways.js';

const TICK_MS = 1000;
/** Loading the code of the sources takes some 15 ms without a break: whoever types as soon as there is a screen sees the key first. */
const SOURCES_DELAY_MS = 40;
const IDLE_MS = 2000;
const SMALL_HEAP_AFTER_MS = 60;
/** What must be written at the end may take so long; then the program ends all the same. */
const STOP_MS = 1500;

/** The keyboard and the screen: those of the process, or a test's. */
type Streams = Pick<TerminalOptions, 'stdin' | 'stdout'>;

/**
 * The dashboard: puts terminal, bus, store, effects and panes together, paints the first frame, and only then opens the sources.
 * Resolves to the exit code when the terminal is as it was.
 */
export async function startTui(options: TuiOptions, { stdin, stdout }: Streams = process): Promise<number> {
  const { ports, settings } = options;
  const { clock } = ports;
  const glyphs = settings.ascii || wantsAscii(ports.env) ? ASCII_GLYPHS : UNICODE_GLYPHS;
  const { keymap, problems: keyProblems } = createKeymap(settings.keys);
  const terminal = createTerminal({
    stdin,
    stdout,
    env: ports.env,
    clock,
    theme: themeNamed(settings.theme),
    glyphs,
    mouse: settings.mouse,
    ...(settings.fps > 0 ? { fps: settings.fps } : {}),
  });
  let recordedStamp: Stamp | null = null;
  const bus = createBus({
    clock,
    recorded: () => recordedStamp,
    onProblem(where, error) {
      replayed?.failed(error, 'update');
      effects.run({ type: 'log.write', level: 'error', message: `${where} threw`, fields: { error } });
    },
  });
  let ended = false;
  const ending = new AbortController();
  let editing = Promise.resolve();
  let collector: IdleCollector | null = null;
  let lastInputMono = clock.monotonic();
  let finish: (exitCode: number) => void = () => undefined;
  const finished = new Promise<number>((done) => (finish = done));
  const replayed = options.replay === null ? null : createReplayWatch(() => void stop(EXIT.failure));

  const effects: Effects = createEffects({
    ports,
    publish: bus.publish,
    state: () => store.state,
    options,
    replaying: options.replay !== null,
    openEditor: (text) => void (editing = editExternally(text)),
    copy: copyText,
    redraw() {
      terminal.screen.invalidate();
      frames.request(true);
    },
    suspend: terminal.suspend,
    quit: (exitCode) => void stop(exitCode),
  });
  const store = createStore(initialState(settings), effects.run);
  bus.subscribe('store', store.receive);
  const recorder = await openRecord();
  if (recorder) bus.subscribe('record', recorder.receive);

  const dashboard = createDashboard({
    screen: terminal.screen,
    glyphs,
    keymap,
    monotonic: clock.monotonic,
    hostName: os.hostname(),
    repaint: () => frames.request(false),
  });
  const frames = createFrames({
    clock,
    framesPerSecond: terminal.suggestedFps,
    paint(urgent) {
      if (!replayable(() => dashboard.paint(store.state))) return true;
      replayed?.painted();
      const taken = terminal.screen.flush(urgent);
      if (dashboard.shown !== store.state.view.shown)
        bus.publish({ type: 'panes.shown', panes: dashboard.shown });
      if (dashboard.behind) frames.request(false);
      return taken;
    },
  });
  // The end of an answer is what people wait for.
  bus.subscribe('frames', ({ type }) => frames.request(type === 'turn.ended' || type === 'turn.held'));
  bus.subscribe('effects', store.runEffects);

  const onInput = createInput({
    state: () => store.state,
    keymap,
    publish: bus.publish,
    messageWidth: dashboard.messageWidth,
    listHeight: dashboard.listHeight,
    lastTop: dashboard.lastTop,
    scroll: (command) => dashboard.scroll(store.state, command, bus.publish),
    ways: () => selectWays(store.state)?.events ?? [],
    hit: (x, y) => dashboard.hit(store.state, x, y),
  });
  terminal.onInput((input) => {
    lastInputMono = clock.monotonic();
    frames.urgently(() => void replayable(() => onInput(input)));
  });
  terminal.onResize(({ width, height }) => {
    bus.publish({ type: 'screen.resized', width, height });
    frames.request(true);
  });
  terminal.onWritable(frames.resume);
  terminal.onResume(() => frames.request(true));
  terminal.onEnd((exitCode, reason) => {
    // The terminal is gone or restored; nothing may be painted any more.
    ended = true;
    frames.stop();
    effects.stopNow();
    void recorder?.close();
    // Of a terminal that is gone standard error is gone, too.
    if (/^SIG(?!HUP)/.test(reason)) tellUnsaved();
    // An editor that has the terminal gives it back first.
    ending.abort();
    void editing.then(() => finish(exitCode));
  });

  /** False: what a record holds cannot be shown, and the dashboard ends. Whatever else throws is a defect. */
  function replayable(work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      if (!replayed) throw error;
      replayed.failed(error, 'paint');
      return false;
    }
  }

  async function openRecord(): Promise<Recorder | null> {
    if (options.record === null && options.replay === null) return null;
    const { checkRecord, openRecorder } = await import('../events/record.js');
    if (options.replay !== null) checkRecord(options.replay, options.record);
    if (options.record === null) return null;
    return openRecorder(options.record, terminal.screen.size, (error) =>
      bus.publish({
        type: 'notice.raised',
        level: 'bad',
        text: `the record cannot be written: ${messageOf(error)}`,
        hint: null,
      }),
    );
  }

  function tick(): void {
    if (ended) return;
    bus.publish({ type: 'clock.ticked' });
    clock.after(untilBeat(clock, TICK_MS), tick);
  }

  /** Memory is given back while nobody waits for anything. */
  function tidyUp(): void {
    if (ended) return;
    const idle = store.state.chat.live === null && clock.monotonic() - lastInputMono > IDLE_MS;
    if (idle) collector?.collect();
    clock.after(IDLE_MS, tidyUp);
  }

  async function keepMemorySmall(): Promise<void> {
    const { createIdleCollector, keepHeapSmall } = await import('./heap.js');
    keepHeapSmall();
    collector = createIdleCollector(clock.monotonic);
    tidyUp();
  }

  function copyText(text: string, what: string): void {
    if (terminal.copy(text))
      bus.publish({
        type: 'notice.raised',
        level: 'good',
        text: `${what} sent to the terminal's clipboard`,
        hint: null,
      });
    else
      bus.publish({
        type: 'notice.raised',
        level: 'warn',
        text: `the ${what} is too long for the terminal's clipboard`,
        hint: 'The chat is kept in its file.',
      });
  }

  async function editExternally(text: string): Promise<void> {
    const { editInEditor, editedMessage } = await import('../effects/editor.js');
    const result = await terminal.withReleased(() => editInEditor(text, ports.env, ending.signal));
    if (ending.signal.aborted) return;
    bus.publish(editedMessage(result));
    terminal.screen.invalidate();
    frames.request(true);
  }

  async function stop(exitCode: number): Promise<void> {
    if (ended) return;
    ended = true;
    bus.publish({ type: 'app.stopping', exitCode });
    frames.stop();
    terminal.leave();
    const late = new Promise<void>((done) => clock.after(STOP_MS, done));
    await Promise.race([Promise.all([effects.stop(), recorder?.close()]), late]);
    tellUnsaved();
    finish(exitCode);
  }

  function tellUnsaved(): void {
    const words = effects.unsaved();
    if (words !== null) options.tellAtEnd(sanitizeLine(words));
  }

  async function reportToDebugLog(): Promise<void> {
    const { createDebugReport } = await import('../effects/debug-report.js');
    const report = createDebugReport({
      clock,
      write: (message, fields) => effects.run({ type: 'log.write', level: 'debug', message, fields }),
      counts: () => ({ frames: frames.painted, lost: bus.lost }),
    });
    bus.subscribe('debug', report);
  }

  terminal.enter();
  const { width, height } = terminal.screen.size;
  bus.publish({ type: 'screen.resized', width, height });
  bus.publish({
    type: 'app.started',
    version: options.version,
    settings,
    problems: [...options.problems, ...keyProblems],
    idSeed: newIdSeed(clock),
  });
  frames.request(true);

  if (options.replay !== null) {
    const { replay, stoppedReplay } = await import('./replay.js');
    // Events come at once and by the thousand: the heap would have its full size before its limits are set otherwise.
    await keepMemorySmall();
    const onNext = (event: Stamped, line: number): void => {
      recordedStamp = event;
      replayed?.line(line);
    };
    void replay(options.replay, options.speed, bus.publish, onNext, () => ended).catch((error: unknown) =>
      bus.publish(stoppedReplay(error)),
    );
  } else {
    clock.after(SOURCES_DELAY_MS, () => {
      if (ended) return;
      effects
        .start()
        .catch((error: unknown) =>
          bus.publish({ type: 'app.faulted', where: 'start', message: messageOf(error) }),
        );
      tick();
      // By then the nursery has grown as far as the start needs, and keeps that size.
      clock.after(SMALL_HEAP_AFTER_MS, () => void keepMemorySmall());
      if (options.debug) void reportToDebugLog();
    });
  }
  const exitCode = await finished;
  if (options.replay !== null && replayed?.fault) {
    const { replayError } = await import('./replay.js');
    const again = createStore(initialState(settings), null);
    throw await replayError(options.replay, replayed.fault, (event, paints) => {
      again.receive(event);
      if (paints) dashboard.paint(again.state);
    });
  }
  return exitCode ?? EXIT.failure;
}
