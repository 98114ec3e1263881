import { describe, expect, it } from '@jest/globals';
import { gauge, sparkline } from '../../widgets/gauge.js';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../widgets/glyphs.js';
import { header, type HeaderProps } from '../../widgets/header.js';
import { historyChart, loadHistoryChart } from '../../widgets/history-chart.js';
import { logTail, logTitle } from '../../widgets/log-tail.js';
import { machine, machineStrip, machineTitle, type MachineProps } from '../../widgets/machine.js';
import { modelList, type ModelListProps, type ModelRow } from '../../widgets/model-list.js';
import { messageTitle, phaseBar } from '../../widgets/phase-bar.js';
import { texts, tokensOf } from './drawing.js';

const G = UNICODE_GLYPHS;

describe('gauges', () => {
  const bar = (fraction: number | null, glyphs = G) =>
    gauge(fraction, 8, glyphs)
      .map(({ text }) => text)
      .join('');

  it('fill in eighths of a cell', () => {
    expect([null, 0, 0.001, 0.5, 0.55, 1, 7].map((fraction) => bar(fraction))).toEqual([
      '▕        ▏',
      '▕        ▏',
      '▕▏       ▏',
      '▕████    ▏',
      '▕████▍   ▏',
      '▕████████▏',
      '▕████████▏',
    ]);
    expect(bar(0.5, ASCII_GLYPHS)).toBe('[####    ]');
  });

  it('keep a history with gaps, the newest at the right', () => {
    expect(sparkline([0, null, 1], 5, G)).toBe('  ▁ █');
    expect(sparkline([0, 0.5, 1], 2, G)).toBe('▅█');
  });
});

const MACHINE: MachineProps = {
  sample: {
    cpu: 0.41,
    memoryUsedBytes: 19.1e9,
    memoryTotalBytes: 24e9,
    memoryLimited: false,
    swapUsedBytes: 0,
    swapTotalBytes: 2e9,
    load1: 1.9,
    diskFreeBytes: 212e9,
    netReceivedPerSecond: null,
    netSentPerSecond: null,
  },
  gpus: [
    {
      index: 0,
      name: 'RTX 4070',
      utilization: 0.96,
      memoryUsedBytes: 7.9e9,
      memoryTotalBytes: 12e9,
      temperatureC: 71,
      powerW: 181,
    },
  ],
  cpuHistory: [0.1, 0.9],
  memoryHistory: [],
  gpuHistory: [],
  staleMs: null,
  facts: [],
  notes: [],
};

describe('the machine pane', () => {
  const draw = (props: MachineProps, width = 36) => machine.create(G).view(props, { width, height: 12 }).rows;

  it('is ASCII with ASCII glyphs, also in the names of processors', () => {
    const props = { ...MACHINE, facts: ['Intel Xeon® Core™ · 2 cores', '… — ≈'] };
    const rows = texts(machine.create(ASCII_GLYPHS).view(props, { width: 60, height: 12 }).rows);
    expect(rows.join('')).toMatch(/^[\x20-\x7e]+$/);
    expect(rows.join('\n')).toContain('Intel Xeon(R) Core(TM) - 2 cores');
  });

  it('shows a gauge for each reading', () => {
    expect(texts(draw(MACHINE))).toEqual([
      ' CPU  ▕████▌      ▏  41 %        ▂▇',
      ' RAM  ▕████████▊  ▏ 19.1 / 24.0 GB',
      ' swap ▕           ▏ 0 / 2.0 GB',
      ' GPU0 RTX 4070      96 % 71 °C 181 W',
      ' VRAM ▕███████▎   ▏ 7.9 / 12.0 GB',
      ' load 1.9   disk 212 GB   net —',
    ]);
  });

  it.each([
    [258, ' load 1.9  disk 212 GB  net 258 B/s'],
    [258_000, ' load 1.9  disk 212 GB  net 258 kB/s'],
  ])('cuts no unit off where %s bytes a second go over the net', (netReceivedPerSecond, line) => {
    const sample = MACHINE.sample && { ...MACHINE.sample, netReceivedPerSecond };
    expect(texts(draw({ ...MACHINE, sample })).at(-1)).toBe(line);
  });

  it('keeps the columns where they are when figures change', () => {
    const columns = [0.04, 0.41, 1].map((cpu) => {
      const [first] = texts(draw({ ...MACHINE, sample: MACHINE.sample && { ...MACHINE.sample, cpu } }));
      return first?.indexOf('▂▇');
    });
    expect(new Set(columns).size).toBe(1);
  });

  it('shows what is not known as a dash, and a limit as a limit', () => {
    const sample = MACHINE.sample && {
      ...MACHINE.sample,
      cpu: null,
      memoryUsedBytes: null,
      memoryLimited: true,
    };
    const rows = texts(draw({ ...MACHINE, sample }));
    expect(rows[0]).toMatch(/▕ {11}▏ +—/);
    expect(rows[1]).toMatch(/^ limit.*— \/ 24\.0 GB/);
  });

  const CARD = MACHINE.gpus[0] as MachineProps['gpus'][number];
  const cards = (count: number): MachineProps => ({
    ...MACHINE,
    gpus: Array.from({ length: count }, (_, index) => ({ ...CARD, index })),
  });

  it('gives each of many cards one row, and counts those that have none', () => {
    const six = texts(draw(cards(6)));
    expect(six.slice(3)).toEqual([
      ...[0, 1, 2, 3, 4, 5].map((i) => ` GPU${i}  96 %     7.9 / 12.0 GB  71 °C`),
      ' load 1.9   disk 212 GB   net —',
    ]);
    const twenty = texts(draw({ ...cards(20), notes: ['nvidia: no answer for 5 s'] }));
    expect(twenty).toHaveLength(12);
    expect(twenty.slice(-3)).toEqual([
      ' … 14 more GPUs',
      ' load 1.9   disk 212 GB   net —',
      ' nvidia: no answer for 5 s',
    ]);
  });

  it.each([
    [{ slowedBy: 'heat' }, ' GPU0 RTX 4070      96 %  71 °C slow'],
    [{ slowedBy: 'power limit' }, ' GPU0 RTX 4070      96 % 71 °C 181 W'],
    [{ note: 'n/a (MIG)', utilization: null }, ' GPU0 RTX 4070         —  n/a (MIG)'],
    [{ powerW: 1181 }, ' GPU0 RTX 4070      96 %  71 °C'],
  ])('leaves out what has no room whole: %j', (told, line) => {
    expect(texts(draw({ ...MACHINE, gpus: [{ ...CARD, ...told }] }))[3]).toBe(line);
  });

  it('has the history of the busiest card beside it only where it is the one card', () => {
    const wide = (count: number) => texts(draw({ ...cards(count), gpuHistory: [0.1, 0.9] }, 80))[3];
    expect(wide(1)).toMatch(/181 W +▂▇$/);
    expect(wide(2)).toMatch(/181 W$/);
  });

  it('says in a wide pane why a card is slow', () => {
    const line = texts(draw({ ...MACHINE, gpus: [{ ...CARD, slowedBy: 'heat' }] }, 80))[3];
    expect(line).toContain('71 °C 181 W slowed: heat');
  });

  it('dims a card whose source does not answer any more, and does not put it into the strip', () => {
    const old = { ...MACHINE, gpus: [{ ...CARD, stale: true }], notes: ['nvidia: no answer for 5 s'] };
    expect(tokensOf(draw(old), '71 °C')).toEqual(['muted']);
    expect(tokensOf(draw(old), '96 %')).toEqual(['muted']);
    expect(tokensOf(draw(old), '7.9 / 12.0 GB')).toEqual(['muted']);
    const { rows } = machineStrip.create(G).view(old, { width: 80, height: 1 });
    expect(texts(rows)).toEqual([' CPU 41 RAM 80 GPU  — VRAM  — %']);
  });

  it('dims old readings and says their age', () => {
    const rows = draw({ ...MACHINE, staleMs: 12_000 });
    expect(texts(rows)).toContain(' no new reading for 12s');
    expect(tokensOf(rows, '41 %')).toEqual(['muted']);
  });

  it('fits one line on a narrow screen', () => {
    const { rows } = machineStrip.create(G).view(MACHINE, { width: 80, height: 1 });
    expect(texts(rows)).toEqual([' CPU 41 RAM 80 GPU 96 VRAM 66 %']);
    expect(texts([machineTitle('gpu-box', G)])).toEqual(['Machine · gpu-box']);
    const sample = MACHINE.sample && { ...MACHINE.sample, cpu: 1 };
    const full = machineStrip.create(G).view({ ...MACHINE, sample }, { width: 80, height: 1 });
    expect(full.rows[0]?.spans.map(({ text }) => text).join('')).toContain('CPU 100 RAM');
  });
});

function model(label: string, more: Partial<ModelRow> = {}): ModelRow {
  return {
    kind: 'model',
    key: label,
    label,
    loaded: false,
    chosen: false,
    sizeBytes: 2e9,
    remote: false,
    note: 'fits',
    noteToken: 'good',
    unconfirmed: false,
    chat: true,
    columns: [],
    ...more,
  };
}

describe('the model list', () => {
  const server = {
    kind: 'server' as const,
    key: 's',
    title: 'ollama',
    address: '127.0.0.1:11434',
    open: true,
    note: '0.13.0',
    noteToken: 'muted' as const,
    unconfirmed: false,
  };
  const props: ModelListProps = {
    rows: [
      server,
      model('qwen3:8b', { loaded: true, chosen: true, sizeBytes: 5.2e9, note: '4m 59s' }),
      model('llama3.3:70b', { sizeBytes: 42.5e9, note: '-19 GB' }),
      model('nomic-embed', { sizeBytes: 274e6, note: 'embed', chat: false }),
      {
        ...server,
        key: 't',
        title: 'vllm',
        address: 'gpu-box:8000',
        open: false,
        note: 'not running',
        noteToken: 'bad',
      },
    ],
    selected: 'llama3.3:70b',
    focused: true,
    empty: 'no server found',
  };
  const draw = (more: Partial<ModelListProps> = {}, width = 36, height = 9) =>
    modelList.create(G).view({ ...props, ...more }, { width, height }).rows;

  it('aligns servers and models as one tree', () => {
    expect(texts(draw())).toEqual([
      ' ▾ ollama  127.0.0.1:11434    0.13.0',
      ' ▸● qwen3:8b        5.2 GB   4m 59s',
      '    llama3.3:70b   42.5 GB   -19 GB',
      '    nomic-embed     0.3 GB   embed',
      ' ▸ vllm  gpu-box:8000    not running',
    ]);
  });

  it('fills the row of the cursor, only while the pane has the focus', () => {
    expect(draw().map(({ fill }) => fill)).toEqual([undefined, undefined, 'selection', undefined, undefined]);
    expect(draw({ focused: false }).some(({ fill }) => fill !== undefined)).toBe(false);
  });

  it('keeps the cursor in view', () => {
    const rows = Array.from({ length: 500 }, (_, i) => model(`model-${i}`));
    expect(texts(draw({ rows, selected: 'model-400' })).some((row) => row.includes('model-400'))).toBe(true);
    expect(texts(draw({ rows, selected: 'model-499' })).at(-1)).toContain('model-499');
  });

  it('dims what is not confirmed or not for chat', () => {
    expect(tokensOf(draw(), 'nomic-embed')).toEqual(['muted']);
    expect(tokensOf(draw({ rows: [model('old', { unconfirmed: true })] }), 'old')).toEqual(['muted']);
  });

  it('shows how far a model is loaded instead of its note', () => {
    const rows = texts(draw({ rows: [model('a', { loading: 0.42 }), model('b', { loading: null })] }));
    expect(rows[0]).toContain('42 %');
    expect(rows[1]).toContain('loads');
  });

  it('shortens a long name in the middle and leaves its columns', () => {
    const [row] = texts(draw({ rows: [model('hf.co/unsloth/Qwen3-Coder-30B-A3B-GGUF:Q4_K_M')] }));
    expect(row).toMatch(/^ {4}hf\.co.*….*K_M +2\.0 GB {3}fits$/);
  });

  it('says the next step when there is nothing to list', () => {
    expect(texts(draw({ rows: [] }))).toEqual([' no server found']);
    const empty = 'no server found: start one, as with "ollama serve", or press a to add one';
    expect(texts(draw({ rows: [], empty }))).toEqual([
      ' no server found: start one, as with',
      ' "ollama serve", or press a to add',
      ' one',
    ]);
  });
});

describe('the log', () => {
  const at = new Date(2026, 0, 2, 12, 3, 10).getTime();
  const lines = [
    { at, level: 'warn' as const, source: 'ollama', text: 'truncating input prompt' },
    { at, level: 'info' as const, source: 'lmapp', text: 'turn 7 took 812 ms' },
  ];
  const props = { lines, wrap: false, marksOf: null, empty: 'nothing logged yet' };
  const marks = (found: RegExp) => (text: string) =>
    [...text.matchAll(found)].map((m) => [m.index, m.index + m[0].length] as const);
  const SIZE = { width: 80, height: 3 };

  it('shows time, level as a word, source and text in columns', () => {
    const { rows } = logTail.create(G).view(props, SIZE);
    expect(texts(rows)).toEqual([
      ' 12:03:10 WARN  ollama  truncating input prompt',
      ' 12:03:10 INFO  lmapp   turn 7 took 812 ms',
    ]);
    expect(tokensOf(rows, 'WARN')).toEqual(['warn']);
  });

  it('marks what the filter found', () => {
    const { rows } = logTail.create(G).view({ ...props, marksOf: marks(/t\w/g) }, SIZE);
    expect(tokensOf(rows, 'tr')).toEqual(['match']);
    expect(texts(rows)[0]).toContain('truncating input prompt');
  });

  it('wraps a long line under its own text, and marks the match in every row', () => {
    const long = { at, level: null, source: 'x', text: 'timeout again '.repeat(12) };
    const { rows } = logTail
      .create(G)
      .view({ ...props, lines: [long], wrap: true, marksOf: marks(/again/g) }, { width: 80, height: 9 });
    expect(rows.length).toBeGreaterThan(2);
    expect(texts(rows)[1]).toMatch(/^ {24}timeout/);
    expect(tokensOf(rows, 'again').length).toBe(12);
  });

  it('shows the end when there are more lines than rows, and says how far it moved', () => {
    const many = Array.from({ length: 100 }, (_, i) => ({
      ...lines[0],
      at,
      level: null,
      source: 'x',
      text: `line ${i}`,
    }));
    const instance = logTail.create(G);
    expect(texts(instance.view({ ...props, lines: many.slice(0, 98) }, SIZE).rows).at(-1)).toMatch(
      /line 97$/,
    );
    const next = instance.view({ ...props, lines: many }, SIZE);
    expect(texts(next.rows).at(-1)).toMatch(/line 99$/);
    expect(next.scrolledBy).toBe(2);
  });

  it('says below the lines what is to be said of them, on as many rows as it takes', () => {
    const one = { at: null, level: null, source: 'lmapp', text: 'the line' };
    const note = 'no server logged anything; looked at lmapp, ollama (waiting: it does not exist yet)';
    const drawn = texts(
      logTail.create(G).view({ ...props, lines: [one, one, one], note }, { width: 50, height: 4 }).rows,
    );
    expect(drawn).toHaveLength(4);
    expect(drawn[1]).toContain('the line');
    expect(drawn[3]).toContain('it does not exist yet)');
    const empty = logTail.create(G).view({ ...props, lines: [], empty: note }, { width: 50, height: 4 });
    expect(texts(empty.rows).join('')).toContain('it does not exist yet)');
  });

  it('says in its title what is shown', () => {
    const title = {
      turn: null,
      source: 'ollama.service',
      following: true,
      below: 0,
      trouble: null,
      level: 'warn',
      pattern: 'timeout',
      unused: false,
      inverse: false,
      lines: 1204,
      skipped: 3,
    };
    expect(texts([logTitle(title, G)])).toEqual([
      'Log ── ollama.service · following · warn and above · /timeout/ · 1,204 lines · 3 skipped',
    ]);
    const held = { ...title, following: false, below: 12, level: null, inverse: true, skipped: 0 };
    expect(texts([logTitle(held, G)])).toEqual([
      'Log ── ollama.service · held 12 ↓ · !/timeout/ · 1,204 lines',
    ]);
    const at = (second: number): number => new Date(2026, 10, 23, 14, 2, second).getTime();
    const turn = { ...title, turn: { from: at(11), to: at(19) }, following: null, level: null, skipped: 0 };
    expect(texts([logTitle({ ...turn, source: '', pattern: null, lines: 12 }, G)])).toEqual([
      'Log ── turn 14:02:11–14:02:19 · 12 lines',
    ]);
    const running = { ...turn, turn: { from: at(11), to: null }, following: true, pattern: null };
    expect(texts([logTitle(running, G)])[0]).toContain(
      'turn since 14:02:11 · 1,204 lines · ollama.service · following',
    );
    const refused = { ...title, unused: true, level: null, skipped: 0 };
    expect(texts([logTitle(refused, G)])[0]).toContain('· /timeout/ not used ·');
    const away = { ...title, source: 'all 3 sources', trouble: 'ollama refused', level: null, pattern: null };
    expect(texts([logTitle(away, G)])).toEqual([
      'Log ── all 3 sources · following · ollama refused · 1,204 lines · 3 skipped',
    ]);
  });
});

describe('the header', () => {
  const props: HeaderProps = {
    model: 'qwen3:8b',
    backend: 'ollama',
    context: {
      usedTokens: 3400,
      estimated: false,
      nextTokens: null,
      allocatedTokens: 8192,
      modelTokens: 32768,
    },
    warning: null,
    title: 'new chat',
  };
  const draw = (more: Partial<HeaderProps> = {}, width = 124) =>
    header.create(G).view({ ...props, ...more }, { width, height: 1 }).rows;

  it('names the model, its context and the chat', () => {
    expect(texts(draw())[0]).toMatch(
      /^ lmapp │ qwen3:8b · ollama +ctx ▕████▋ {6}▏ 3\.4k of 8k \(model 32k\) │ new chat$/,
    );
  });

  it('leaves out what matters least when it is narrow', () => {
    expect(texts(draw({}, 60))[0]).toMatch(/^ lmapp │ qwen3:8b · ollama +ctx 3\.4k of 8k │ new chat$/);
    expect(texts(draw({}, 30))).toEqual([' lmapp │ qwen3:8b · ollama']);
  });

  it('shows what the server does not tell as a dash', () => {
    const context = {
      usedTokens: 12,
      estimated: true,
      nextTokens: null,
      allocatedTokens: null,
      modelTokens: null,
    };
    expect(texts(draw({ context }))[0]).toContain('≈12 of — (model —)');
  });

  it('shows what the next message would make of the context, and less of it when it is narrow', () => {
    const context = { ...props.context, nextTokens: 3600 };
    expect(texts(draw({ context }))[0]).toMatch(
      /ctx ▕████▉ {6}▏ 3\.4k → ≈3\.6k of 8k \(model 32k\) │ new chat$/,
    );
    expect(texts(draw({ context }, 80))[0]).toMatch(/ {2}ctx 3\.4k → ≈3\.6k of 8k \(model 32k\) │ new chat$/);
    expect(texts(draw({ context }, 70))[0]).toMatch(/ {2}ctx 3\.4k → ≈3\.6k of 8k │ new chat$/);
    expect(texts(draw({ context }, 60))[0]).toMatch(/ {2}ctx ≈3\.6k of 8k │ new chat$/);
    // The same number twice says nothing; before the first figures there is only the estimate.
    expect(texts(draw({ context: { ...context, nextTokens: 3410 } }, 70))[0]).toContain('ctx ≈3.4k of 8k');
    expect(texts(draw({ context: { ...context, usedTokens: null } }, 70))[0]).toContain('ctx ≈3.6k of 8k');
    expect(tokensOf(draw({ context: { ...context, nextTokens: 7900 } }), '≈7.9k')).toEqual(['bad']);
  });

  it('turns into a warning that stays when there is little room', () => {
    const rows = draw({ warning: 'the 4 oldest messages were dropped' });
    expect(tokensOf(rows, 'dropped')).toEqual(['warn']);
    expect(texts(draw({ warning: 'the 4 oldest messages were dropped' }, 40))[0]).toBe(
      ' ▲ the 4 oldest messages were dropped',
    );
  });
});

describe('the phase bar', () => {
  const step = { label: 'load', figures: ['2.1 s'], estimated: false, state: 'done' as const };
  const keys = [
    { key: 'Esc', does: 'stop' },
    { key: '^P', does: 'menu' },
  ];
  const draw = (width: number) =>
    texts(
      phaseBar.create(G).view(
        {
          steps: [
            step,
            { label: 'answer', figures: ['41.2 tok/s', '312 tok'], estimated: true, state: 'current' },
          ],
          idle: [],
          keys,
        },
        { width, height: 1 },
      ).rows,
    )[0];

  it('shows the phases in order, the present one marked, and the keys at the right', () => {
    expect(draw(80)).toMatch(/^ load 2\.1 s ─ ▶ answer ≈41\.2 tok\/s · 312 tok +Esc stop {3}\^P menu$/);
  });

  it('drops past phases and later keys first', () => {
    expect(draw(50)).toMatch(/^ ▶ answer ≈41\.2 tok\/s · 312 tok +Esc stop$/);
  });

  it('shows the last figures when idle', () => {
    const { rows } = phaseBar
      .create(G)
      .view({ steps: [], idle: ['41.2 tok/s', '7.6 s'], keys }, { width: 60, height: 1 });
    expect(texts(rows)[0]).toMatch(/^ 41\.2 tok\/s · 7\.6 s +Esc stop {3}\^P menu$/);
  });

  it('says in the title of the message box what Enter does', () => {
    expect(texts([messageTitle(['Enter sends', 'Ctrl+J new line'], G)])).toEqual([
      'Message ── Enter sends · Ctrl+J new line',
    ]);
  });
});

/** One a second, the newest just taken. */
const agesOf = (count: number): number[] => Array.from({ length: count }, (_, i) => (count - 1 - i) * 1000);

describe('the wide history', () => {
  const props = {
    series: [
      { label: 'CPU', token: 'accent' as const, samples: Array<number>(50).fill(0.5), agesMs: agesOf(50) },
    ],
    marks: [],
    intervalMs: 1000,
  };

  it('is one row for each series until the chart is loaded, and with ASCII glyphs', async () => {
    expect(texts(historyChart.create(G).view(props, { width: 20, height: 9 }).rows)).toEqual([
      ` CPU ${'▅'.repeat(14)}`,
    ]);
    await loadHistoryChart();
    expect(historyChart.create(ASCII_GLYPHS).view(props, { width: 80, height: 14 }).rows.length).toBe(1);
  });

  it('is a chart with a scale, a time axis and the newest sample at the right', async () => {
    expect(await loadHistoryChart()).toBe(true);
    const rows = texts(historyChart.create(G).view(props, { width: 80, height: 14 }).rows);
    expect(rows.length).toBe(14);
    expect(rows[0]).toBe(' ── CPU 50 %');
    expect(rows.some((row) => /^ {2,}50 +/.test(row))).toBe(true);
    const line = rows.slice(1).filter((row) => /[\u2801-\u28ff]{20}/.test(row.slice(20)));
    expect(line.length).toBeGreaterThan(0);
  });

  it('shows the highest value, too', async () => {
    await loadHistoryChart();
    const series = props.series.map((each) => ({ ...each, samples: Array<number>(50).fill(1) }));
    const rows = texts(historyChart.create(G).view({ ...props, series }, { width: 80, height: 14 }).rows);
    expect(rows[1]).toMatch(/[\u2801-\u28ff]{40}/);
  });

  it('leaves gaps where there was no reading', async () => {
    await loadHistoryChart();
    const samples = Array.from({ length: 70 }, (_, i) => (i >= 30 && i < 40 ? null : 0.5));
    const series = [{ label: 'CPU', token: 'accent' as const, samples, agesMs: agesOf(70) }];
    const { rows } = historyChart.create(G).view({ ...props, series }, { width: 80, height: 14 });
    const drawn = rows
      .slice(1)
      .find((row) => row.spans.some(({ token, text }) => token === 'accent' && text.trim().length > 20));
    expect(drawn?.spans.map(({ text }) => text).join('')).toMatch(/[\u2801-\u28ff] {8,10}[\u2801-\u28ff]/);
  });

  it('has a gap where nothing was told for a while, and holds a reading that comes seldom', async () => {
    await loadHistoryChart();
    const drawnWith = (agesMs: number[]): string => {
      const samples = agesMs.map(() => 0.5);
      const series = [{ label: 'CPU', token: 'accent' as const, samples, agesMs }];
      const { rows } = historyChart.create(G).view({ ...props, series }, { width: 80, height: 14 });
      return (texts(rows.slice(1)).find((row) => /[\u2801-\u28ff]{8}/.test(row.slice(10))) ?? '').slice(10);
    };
    // Each five seconds: no gap.
    expect(drawnWith([60_000, 55_000, 50_000, 45_000, 40_000, 35_000, 30_000])).not.toMatch(
      /[\u2801-\u28ff] +[\u2801-\u28ff]/,
    );
    expect(drawnWith([...agesOf(60).slice(0, 20), ...agesOf(60).slice(40)])).toMatch(
      /[\u2801-\u28ff] {10,18}[\u2801-\u28ff]/,
    );
  });

  it('has the load of an answer above its mark: a load is told at the end of its second', async () => {
    await loadHistoryChart();
    const agesMs = agesOf(70).map((age) => age + 400);
    const samples = agesMs.map((age) => (age > 18_000 && age < 30_000 ? 1 : 0));
    const series = [{ label: 'CPU', token: 'accent' as const, samples, agesMs }];
    // What was told 18.4 to 29.4 s ago was done from 30.4 s on.
    const marks = [{ fromMs: 30_400, toMs: 18_400, label: '' }];
    const rows = texts(
      historyChart.create(G).view({ ...props, series, marks }, { width: 80, height: 14 }).rows,
    );
    const mark = rows.at(-1) ?? '';
    const high = [...(rows[1] ?? '')].map((cell, x) => (/[\u2801-\u28ff]/.test(cell) && x > 10 ? x : -1));
    const columns = high.filter((x) => x >= 0);
    expect(Math.abs(Math.min(...columns) - mark.indexOf('├'))).toBeLessThanOrEqual(1);
    expect(Math.abs(Math.max(...columns) - mark.indexOf('┤'))).toBeLessThanOrEqual(1);
  });

  it('marks below the curves when answers began and ended; one that runs has no end yet', async () => {
    await loadHistoryChart();
    const markRow = (marks: { fromMs: number; toMs: number; label: string }[], width = 80): string =>
      texts(historyChart.create(G).view({ ...props, marks }, { width, height: 14 }).rows).at(-1) ?? '';
    const ended = markRow([{ fromMs: 50_000, toMs: 20_000, label: '41.2 tok/s' }]);
    expect(ended.trim()).toMatch(/^├─ 41\.2 tok\/s ─+┤$/);
    expect(ended.trim().length).toBe(31);
    expect(markRow([{ fromMs: 10_000, toMs: 0, label: 'x' }]).trim()).toBe('├─ x ──────');
    // Longer than the axis at one second a column: the axis gets coarser, and the beginning stays on it.
    expect(markRow([{ fromMs: 90_000, toMs: 0, label: 'x' }]).trim()).toMatch(/^├/);
    // Too short for its label: that stands before it.
    expect(markRow([{ fromMs: 3000, toMs: 0, label: '41.2 tok/s' }]).trim()).toBe('41.2 tok/s ├───');
    expect(markRow([{ fromMs: 1e7, toMs: 9e6, label: 'gone' }])).not.toContain('gone');
  });
});
