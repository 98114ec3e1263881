import type { Size } from '../../widgets/text/span.js';
import type { Theme } from '../../widgets/themes/theme.js';
import type { Glyphs } from '../../widgets/widget.js';
import type { Clock, Environment } from '../ports.js';
import { colourDepth, isMultiplexed } from './capabilities.js';
import { clipboardSequence } from './clipboard.js';
import type { Reply } from './decoder.js';
import { drainAnswers } from './drain.js';
import { createInput, type InputStream } from './input.js';
import { enterSequence, KITTY_PUSH, leaveSequence, PROBES } from './modes.js';
import { openOutput, type OutputStream } from './output.js';
import { createPalette } from './palette.js';
import { createScreen } from './screen.js';
import { CLOSED_EXIT_CODE, createSession } from './session.js';
import type { Terminal, TerminalInput } from './terminal.js';
import { createWriter } from './writer.js';

const FPS = 30;
/** tmux swallows everything at once and answers at once: only sending less keeps a slow link behind it fresh. */
const FPS_MULTIPLEXED = 12;
const RESIZE_INTERVAL_MS = 100;
const SYNCHRONISED_OUTPUT_MODE = 2026;

export interface TerminalOptions {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly env: Environment;
  readonly clock: Clock;
  readonly theme: Theme;
  readonly glyphs: Glyphs;
  /** Mouse reports; takes the terminal's own selection away. Off by default. */
  readonly mouse?: boolean;
  /** Overrides the frames per second. */
  readonly fps?: number;
  /** False: no listeners of signals and exit. By default they are there when stdin is a terminal. */
  readonly ownsProcess?: boolean;
}

/** The terminal of this process, not entered yet: nothing is read or written before `enter`. */
export function createTerminal(options: TerminalOptions): Terminal {
  const { stdin, stdout, env, clock } = options;
  const multiplexed = isMultiplexed(env);
  let receiveInput: (input: TerminalInput) => void = () => {};
  let receiveResize: (size: Size) => void = () => {};
  let kitty = false;
  let probed = env['TERM'] === 'linux';
  let gone = false;

  const closed = (): void => {
    gone = true;
    session.end(CLOSED_EXIT_CODE, 'the terminal was closed');
  };
  const output = openOutput(stdout, clock);
  const writer = createWriter({ clock, output, acknowledged: !multiplexed, onClosed: closed });
  const sizeNow = (): Size => ({
    width: Math.max(1, stdout.columns ?? 80),
    height: Math.max(1, stdout.rows ?? 24),
  });
  const screen = createScreen({
    size: sizeNow(),
    palette: createPalette(options.theme, colourDepth(env)),
    glyphs: options.glyphs,
    writer,
  });
  const input = createInput({
    stdin,
    env,
    clock,
    onInput: (event) => receiveInput(event),
    onReply,
    onClosed: closed,
  });
  const session = createSession({
    clock,
    acquire,
    release,
    ownsProcess: options.ownsProcess ?? stdin.isTTY === true,
  });

  function onReply(reply: Reply): void {
    if (reply.kind === 'acknowledged') writer.acknowledge();
    else if (reply.kind === 'mode' && reply.mode === SYNCHRONISED_OUTPUT_MODE) {
      if (reply.state === 1 || reply.state === 2) writer.useSynchronisedOutput();
    } else if (reply.kind === 'keyboard' && !kitty) {
      kitty = true;
      writer.aside(KITTY_PUSH);
    }
  }

  function acquire(): void {
    input.start();
    writer.reset();
    writer.aside(enterSequence({ mouse: options.mouse === true }) + (kitty ? KITTY_PUSH : ''));
    if (!probed) writer.ask(PROBES);
    probed = true;
    const size = sizeNow();
    if (size.width !== screen.size.width || size.height !== screen.size.height) resizeTo(size);
    screen.invalidate();
    screen.hold(false);
  }

  function release(): void {
    screen.hold(true);
    if (!gone) {
      writer.sendSync(leaveSequence({ kitty }));
      if (writer.unanswered > 0 && stdin.fd !== undefined && stdin.isTTY === true)
        drainAnswers(stdin.fd, writer.unanswered, writer.answerMs, clock);
    }
    input.stop();
  }

  function resizeTo(size: Size): void {
    screen.resize(size);
    receiveResize(size);
  }

  // Dragging a window's edge sends dozens of resizes a second, and each one repaints everything.
  let resizing = false;
  let resizedAgain = false;
  function onResized(): void {
    if (resizing) {
      resizedAgain = true;
      return;
    }
    resizing = true;
    resizeTo(sizeNow());
    clock.after(RESIZE_INTERVAL_MS, () => {
      resizing = false;
      if (!resizedAgain) return;
      resizedAgain = false;
      onResized();
    });
  }
  stdout.on('resize', onResized);
  stdout.on('error', closed);

  return {
    screen,
    suggestedFps: options.fps ?? (multiplexed ? FPS_MULTIPLEXED : FPS),
    onInput(receive) {
      receiveInput = receive;
    },
    onResize(receive) {
      receiveResize = receive;
    },
    onWritable: writer.onWritable,
    onEnd: session.onEnd,
    onResume: session.onResume,
    enter: session.enter,
    leave: session.leave,
    suspend: session.suspend,
    withReleased: session.withReleased,
    copy(text) {
      const sequence = clipboardSequence(text, env);
      if (sequence !== null) writer.aside(sequence);
      return sequence !== null;
    },
  };
}
