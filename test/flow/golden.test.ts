import { afterEach, describe, expect, it } from '@jest/globals';
import unicode11 from '@xterm/addon-unicode11';
import headless from '@xterm/headless';
import type { Terminal as XtermTerminal } from '@xterm/headless';
import fs from 'node:fs';
import path from 'node:path';
import { defaultSettings } from '../../src/config/schema.js';
import { createBus, type Stamp } from '../../src/events/bus.js';
import type { AppEvent } from '../../src/events/catalogue.js';
import { initialState } from '../../src/state/state.js';
import { createStore } from '../../src/state/store.js';
import { createTerminal } from '../../src/terminal/create.js';
import { createDashboard } from '../../src/tui/dashboard.js';
import { createKeymap } from '../../src/tui/keymap.js';
import { replay } from '../../src/tui/replay.js';
import { UNICODE_GLYPHS } from '../../widgets/glyphs.js';
import { DARK } from '../../widgets/themes/dark.js';
import { FakeStdin, FakeStdout, HandClock } from '../support/fake-streams.js';
import { screenText } from '../support/screen-text.js';

const RECORD = path.resolve('test/fixtures/records/chat.ndjson');
const SCREENS = path.resolve('test/screens');

/** Plays the record up to the first event that `stopAt` names, then the events of `then`, and reads the screen. */
async function play(
  columns: number,
  rows: number,
  stopAt: ((event: AppEvent) => boolean) | null,
  then: readonly AppEvent[],
): Promise<XtermTerminal> {
  const xterm = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
  xterm.loadAddon(new unicode11.Unicode11Addon());
  xterm.unicode.activeVersion = '11';
  const clock = new HandClock();
  const stdin = new FakeStdin();
  const terminal = createTerminal({
    stdin,
    stdout: new FakeStdout(columns, rows, (chunk) => xterm.write(chunk)),
    env: { TERM: 'xterm-256color', COLORTERM: 'truecolor' },
    clock,
    theme: DARK,
    glyphs: UNICODE_GLYPHS,
    ownsProcess: false,
  });
  xterm.onData((text) => stdin.send(text));
  const { keymap } = createKeymap({});
  let stamp: Stamp | null = null;
  const problems: unknown[] = [];
  const bus = createBus({ clock, recorded: () => stamp, onProblem: (_where, error) => problems.push(error) });
  const store = createStore(initialState(defaultSettings()), null);
  bus.subscribe('store', store.receive);
  const dashboard = createDashboard({
    screen: terminal.screen,
    glyphs: UNICODE_GLYPHS,
    keymap,
    monotonic: () => clock.monotonic(),
    hostName: 'gpu-box',
    repaint: () => undefined,
  });
  terminal.enter();
  // Every event is painted, as on a slow day: what was on the screen before must not shine through.
  const paint = async (): Promise<void> => {
    for (let frame = 0; frame < 3; frame++) {
      dashboard.paint(store.state);
      terminal.screen.flush();
      await new Promise<void>((written) => xterm.write('', written));
      clock.pass(50);
    }
  };
  const publish = (event: AppEvent): void => {
    bus.publish(event);
    dashboard.paint(store.state);
    terminal.screen.flush();
  };
  publish({ type: 'screen.resized', width: columns, height: rows });
  publish({ type: 'panes.shown', panes: dashboard.shown });
  let stopped = false;
  await replay(
    RECORD,
    0,
    (event) => {
      stopped ||= stopAt?.(event) ?? false;
      if (!stopped) publish(event);
    },
    (next) => {
      if (!stopped) stamp = next;
    },
  );
  // The machine pane's widgets are loaded behind the first frame.
  await new Promise((resolve) => setTimeout(resolve, 60));
  await paint();
  for (const event of then) publish(event);
  await paint();
  expect(problems).toEqual([]);
  open.push(xterm);
  return xterm;
}

const open: XtermTerminal[] = [];
afterEach(() => {
  for (const xterm of open.splice(0)) xterm.dispose();
});
const command = (id: string): AppEvent => ({ type: 'command.invoked', command: id });
let pieces = 0;
const SCENES: readonly {
  readonly name: string;
  readonly stopAt: ((event: AppEvent) => boolean) | null;
  readonly then: readonly AppEvent[];
}[] = [
  { name: 'answering', stopAt: (event) => event.type === 'turn.text.delta' && ++pieces === 15, then: [] },
  { name: 'end', stopAt: null, then: [] },
  {
    name: 'picker',
    stopAt: null,
    then: [command('model.pick'), { type: 'overlay.edited', edit: { op: 'insert', text: 'lla' } }],
  },
  { name: 'keys', stopAt: null, then: [command('keys.open')] },
  { name: 'models', stopAt: null, then: [{ type: 'pane.focused', pane: 'models' }] },
];

describe.each([
  [80, 24],
  [120, 40],
])('a recorded chat at %ix%i', (columns, rows) => {
  it.each(SCENES)('looks as before: $name', async ({ name, stopAt, then }) => {
    pieces = 0;
    const shown = screenText(await play(columns, rows, stopAt, then));
    const file = path.join(SCREENS, `${name}-${columns}x${rows}.txt`);
    if (process.env['UPDATE_SCREENS']) {
      fs.mkdirSync(SCREENS, { recursive: true });
      fs.writeFileSync(file, shown);
    }
    expect(shown).toBe(fs.readFileSync(file, 'utf8'));
  });
});

it('a screen that is too small says which size is needed, and nothing else', async () => {
  const [first = '', ...others] =
    screenText(await play(59, 15, null, []))
      .split('\n--- ')[0]
      ?.split('\n')
      .filter((row) => row !== '') ?? [];
  expect(first).toMatch(/60.*16/);
  expect(others.join('')).not.toMatch(/[╭│]/);
});
