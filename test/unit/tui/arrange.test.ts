import { describe, expect, it } from '@jest/globals';
import type { LayoutName } from '../../../src/domain/settings.js';
import type { PaneId } from '../../../src/events/catalogue.js';
import { SMALLEST } from '../../../src/domain/smallest-screen.js';
import { arrange, type ArrangeInput } from '../../../src/tui/arrange.js';

const LAYOUTS: readonly LayoutName[] = ['all', 'chat-machine', 'chat'];
const PANES: readonly PaneId[] = ['message', 'transcript', 'models', 'machine', 'log'];
const SIZES = [59, 60, 79, 80, 99, 100, 101, 120, 179, 180, 250].flatMap((width) =>
  [15, 16, 24, 29, 30, 31, 40, 80].map((height) => ({ width, height })),
);

const place = (change: Partial<ArrangeInput>) =>
  arrange({
    width: 120,
    height: 40,
    layout: 'all',
    zoomed: null,
    pane: 'message',
    messageRows: 1,
    machineRows: 6,
    ...change,
  });

describe('the surfaces', () => {
  it.each(LAYOUTS)(
    'cover every cell of the screen exactly once, at all sizes, panes and zooms, in the layout %s',
    (layout) => {
      for (const { width, height } of SIZES)
        for (const pane of PANES)
          for (const zoomed of [null, pane])
            for (const messageRows of [1, 5, 100]) {
              const { areas } = place({ width, height, layout, pane, zoomed, messageRows });
              const cells = new Uint8Array(width * height);
              for (const area of Object.values(areas)) {
                if (!area) continue;
                const at = JSON.stringify({ width, height, layout, pane, zoomed, messageRows, area });
                if (
                  area.x < 0 ||
                  area.y < 0 ||
                  area.width < 1 ||
                  area.height < 1 ||
                  area.x + area.width > width ||
                  area.y + area.height > height
                )
                  throw new Error(`leaves the screen: ${at}`);
                for (let y = area.y; y < area.y + area.height; y++)
                  for (let x = area.x; x < area.x + area.width; x++) cells[y * width + x]! += 1;
              }
              const wrong = cells.findIndex((count) => count !== 1);
              if (wrong >= 0)
                throw new Error(
                  `cell ${wrong % width},${Math.floor(wrong / width)} is covered ${cells[wrong]} times at ${JSON.stringify({ width, height, layout, pane, zoomed, messageRows })}`,
                );
            }
    },
  );

  it('leave every pane with a border room for a row', () => {
    for (const { width, height } of SIZES)
      for (const layout of LAYOUTS)
        for (const pane of PANES) {
          const { areas } = place({ width, height, layout, pane, messageRows: 100, machineRows: 20 });
          for (const id of ['models', 'machine', 'transcript', 'message', 'log'] as const)
            if (areas[id])
              expect([width, height, layout, pane, id, (areas[id]?.height ?? 0) >= 3]).toEqual([
                width,
                height,
                layout,
                pane,
                id,
                true,
              ]);
        }
  });
});

describe('the panes', () => {
  it('are all on a wide screen', () => {
    const { panes } = place({ width: 100, height: 30 });
    expect([...panes].sort()).toEqual([...PANES].sort());
  });

  it('are one column on a narrow one, where the pane with the focus takes the place of the chat', () => {
    expect(place({ width: 80, height: 24 }).panes).toEqual(['transcript', 'message', 'machine']);
    for (const pane of ['models', 'machine', 'log'] as const)
      expect(place({ width: 80, height: 24, pane }).areas[pane]).not.toBeNull();
  });

  it('that are not shown are not named, so that nothing is asked for them', () => {
    expect(place({ layout: 'chat' }).panes).toEqual(['transcript', 'message']);
    expect(place({ zoomed: 'log', pane: 'log' }).panes).toEqual(['log']);
  });

  it('put the log to the right of a very wide screen', () => {
    const { areas } = place({ width: 200 });
    expect(areas.log?.x).toBe((areas.transcript?.x ?? 0) + (areas.transcript?.width ?? 0));
    expect(areas.log?.height).toBe(38);
  });

  it('let the message grow to a third of the chat', () => {
    const { areas } = place({ messageRows: 100 });
    const room = (areas.transcript?.height ?? 0) + (areas.message?.height ?? 0);
    expect(areas.message?.height).toBeLessThanOrEqual(Math.ceil(room / 3) + 1);
    expect(areas.message?.height).toBeGreaterThan(5);
  });
});

it('a screen below the smallest size shows only that', () => {
  for (const size of [{ width: SMALLEST.width - 1 }, { height: SMALLEST.height - 1 }]) {
    const { areas, panes } = place(size);
    expect(panes).toEqual([]);
    expect(Object.entries(areas).flatMap(([id, area]) => (area ? [id] : []))).toEqual(['small']);
  }
});
