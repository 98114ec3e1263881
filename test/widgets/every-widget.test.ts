import { describe, expect, it } from '@jest/globals';
import { textOf } from '../../src/domain/text.js';
import { chatTranscript } from '../../widgets/chat-transcript.js';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../widgets/glyphs.js';
import { form } from '../../widgets/form.js';
import { header } from '../../widgets/header.js';
import { historyChart, loadHistoryChart } from '../../widgets/history-chart.js';
import { keysHelp } from '../../widgets/keys-help.js';
import { listPicker, pickItems } from '../../widgets/list-picker.js';
import { logTail } from '../../widgets/log-tail.js';
import { machine, machineStrip } from '../../widgets/machine.js';
import { machineView } from '../../widgets/machine-view.js';
import { modelList } from '../../widgets/model-list.js';
import { noticeList, noticeStack } from '../../widgets/notices.js';
import { phaseBar } from '../../widgets/phase-bar.js';
import { promptEditor } from '../../widgets/prompt-editor.js';
import { question } from '../../widgets/question.js';
import type { Size } from '../../widgets/text/span.js';
import { tooSmall } from '../../widgets/too-small.js';
import { waysOn } from '../../widgets/ways-on.js';
import type { Glyphs, View } from '../../widgets/widget.js';
import { expectWithin, SIZES } from './drawing.js';

/** Long, wide, joined and combining; what is left of hostile text after sanitising. */
const NASTY = `漢字👩‍💻e\u0301🇩🇪${'very-long-name/'.repeat(20)}ende {bold}{/}`;
const WORDS = `${NASTY} some words\twith a tab\n\n\`\`\`${NASTY}\n${NASTY}\n\`\`\`\n**${NASTY}** \`code\``;
const LINE = `${NASTY} some words`;
const SAMPLES = [0.1, null, 1, 0, 0.5, Number.NaN];

type Draw = (size: Size) => View;

/** Every widget with nothing to show, and with too much. */
const DRAWINGS: readonly [string, (glyphs: Glyphs) => Draw[]][] = [
  [
    'chat-transcript',
    (g) => {
      const entry = { id: 'a', label: NASTY, time: '12:03', text: textOf(WORDS), running: true };
      const thinking = { summary: NASTY, open: true, text: textOf(WORDS) };
      const footers = [{ text: LINE, token: 'warn' as const }];
      const entries = (['user', 'assistant', 'notice'] as const).map((role) => ({
        ...entry,
        id: role,
        role,
        thinking,
        footers,
      }));
      const instance = chatTranscript.create(g);
      return [
        (s) => instance.view({ entries: [], anchor: null }, s),
        (s) => instance.view({ entries, anchor: null }, s),
        (s) => instance.view({ entries, anchor: { entryId: 'user', row: 1 } }, s),
        (s) =>
          instance.view({ entries, anchor: instance.move({ entries, anchor: null }, s, { rows: -2 }) }, s),
      ];
    },
  ],
  [
    'prompt-editor',
    (g) => {
      const instance = promptEditor.create(g);
      return [
        (s) => instance.view({ text: '', cursor: 0, placeholder: NASTY }, s),
        ...[0, 8, WORDS.length].map(
          (cursor): Draw =>
            (s) =>
              instance.view({ text: WORDS, cursor, placeholder: '' }, s),
        ),
      ];
    },
  ],
  [
    'model-list',
    (g) => {
      const server = {
        kind: 'server' as const,
        key: 's',
        title: NASTY,
        address: NASTY,
        open: true,
        note: NASTY,
        noteToken: 'bad' as const,
        unconfirmed: true,
      };
      const model = {
        kind: 'model' as const,
        key: 'm',
        label: NASTY,
        loaded: true,
        chosen: true,
        sizeBytes: null,
        remote: false,
        note: NASTY,
        noteToken: 'good' as const,
        unconfirmed: false,
        chat: true,
        columns: [NASTY, NASTY, NASTY, NASTY, NASTY],
      };
      const pull = { kind: 'pull' as const, key: 'p', label: NASTY, note: NASTY, noteToken: 'bad' as const };
      const bar = { kind: 'pull-bar' as const, key: 'p', note: NASTY, more: NASTY };
      const rows = [
        server,
        model,
        { ...model, key: 'n', loading: 0.4, remote: true },
        { ...model, key: 'o', loading: null },
        pull,
        bar,
        ...[null, 0.4, 7].map((fraction) => ({ ...bar, fraction })),
        { kind: 'hint' as const, key: 's', text: NASTY },
      ];
      const instance = modelList.create(g);
      return [[], rows].map(
        (list): Draw =>
          (s) =>
            instance.view({ rows: list, selected: 'm', focused: true, empty: LINE }, s),
      );
    },
  ],
  [
    'machine',
    (g) => {
      const none = {
        sample: null,
        gpus: [],
        cpuHistory: [],
        memoryHistory: [],
        gpuHistory: [],
        staleMs: null,
        facts: [],
        notes: [],
      };
      const unknown = {
        cpu: null,
        memoryUsedBytes: null,
        memoryTotalBytes: null,
        memoryLimited: true,
        swapUsedBytes: null,
        swapTotalBytes: 1e9,
        load1: null,
        diskFreeBytes: null,
        netReceivedPerSecond: null,
        netSentPerSecond: 1e12,
      };
      const gpu = {
        index: 12,
        name: NASTY,
        utilization: 1,
        memoryUsedBytes: 9e15,
        memoryTotalBytes: 1,
        temperatureC: 100,
        powerW: 99999,
      };
      const full = {
        ...none,
        sample: { ...unknown, cpu: 2 },
        gpus: [gpu, { ...gpu, utilization: null, memoryTotalBytes: null }],
        cpuHistory: SAMPLES,
        memoryHistory: SAMPLES,
        gpuHistory: SAMPLES,
        staleMs: 1e9,
        facts: [LINE],
        notes: [LINE],
      };
      return [none, { ...none, sample: unknown }, full].flatMap((props): Draw[] => [
        (s) => machine.create(g).view(props, s),
        (s) => machineStrip.create(g).view(props, s),
      ]);
    },
  ],
  [
    'machine-view',
    (g) => {
      const none = {
        ...{ sample: null, gpus: [], cpuHistory: [], memoryHistory: [], gpuHistory: [], staleMs: null },
        ...{ facts: [], notes: [], cores: null, loads: [null, null, null], coresAllowed: null, ioWait: null },
        ...{ pressure: null, temperatures: [], battery: null, disks: [], oomKills: null, models: [] },
        processes: null,
      };
      const size = { memoryBytes: 9e15, vramBytes: null };
      const gpu = {
        ...{ index: 12, name: NASTY, utilization: 1, memoryUsedBytes: 9e15, memoryTotalBytes: 1 },
        ...{ temperatureC: 100, powerW: 99999, fan: 2, powerLimitW: 1e6, clockMHz: 1e5, note: NASTY },
        ...{ memoryTemperatureC: 300, users: [{ label: NASTY, memoryBytes: null }] },
      };
      const full = {
        ...none,
        sample: {
          ...{ cpu: 2, memoryUsedBytes: 1, memoryTotalBytes: 2, memoryLimited: true, load1: 1e6 },
          ...{ swapUsedBytes: 1, swapTotalBytes: 2, diskFreeBytes: null },
          ...{ netReceivedPerSecond: 1e12, netSentPerSecond: null },
        },
        gpus: [gpu],
        ...{ cores: Array<number>(200).fill(0.5), loads: [1e6, null, 0], coresAllowed: 0.55, ioWait: 1 },
        pressure: { cpuSome: 1, memorySome: null, memoryFull: 0, ioSome: 0.5 },
        temperatures: [{ label: NASTY, celsius: 1e6 }],
        battery: { charge: null, charging: true, powerW: 1e6 },
        ...{ disks: [{ path: NASTY, freeBytes: null }], oomKills: 12 },
        models: [{ label: NASTY, server: NASTY, ...size, note: NASTY }],
        processes: [{ pid: 2 ** 22, name: NASTY, where: NASTY, cpu: 64, memoryBytes: 1, mappedBytes: null }],
        ...{ staleMs: 1e9, facts: [LINE], notes: [LINE] },
      };
      return [none, full].map(
        (props): Draw =>
          (s) =>
            machineView.create(g).view(props, s),
      );
    },
  ],
  [
    'history-chart',
    (g) => {
      const series = [
        { label: NASTY, token: 'accent' as const, samples: SAMPLES, agesMs: [5e3, 4e3, 3e3, 2e3, 1e3, 0] },
        { label: 'b', token: 'good' as const, samples: [], agesMs: [] },
      ];
      const marks = [
        { fromMs: 1e9, toMs: 9e8, label: LINE },
        { fromMs: 8e3, toMs: 2e3, label: NASTY },
        { fromMs: 1e3, toMs: 0, label: 'x' },
      ];
      return [[], series].map(
        (list): Draw =>
          (s) =>
            historyChart
              .create(g)
              .view({ series: list, marks: list.length ? marks : [], intervalMs: 1000 }, s),
      );
    },
  ],
  [
    'log-tail',
    (g) => {
      const line = { at: 1.7e12, source: NASTY, text: LINE };
      const lines = [null, 'debug' as const, 'error' as const].map((level) => ({
        ...line,
        level,
        at: level === null ? null : line.at,
      }));
      return [true, false].flatMap((wrap): Draw[] =>
        [/./gs, /long|漢/g, /\S+/g, null].map((found): Draw => (s) => {
          const marksOf =
            found &&
            ((text: string) =>
              [...text.matchAll(found)].map((m) => [m.index, m.index + m[0].length] as const));
          return logTail.create(g).view({ lines, wrap, marksOf, empty: LINE }, s);
        }),
      );
    },
  ],
  [
    'header',
    (g) => {
      const none = {
        model: null,
        backend: null,
        context: {
          usedTokens: null,
          estimated: true,
          nextTokens: null,
          allocatedTokens: null,
          modelTokens: null,
        },
        warning: null,
        title: '',
      };
      const full = {
        ...none,
        model: NASTY,
        backend: NASTY,
        context: { usedTokens: 9e9, estimated: true, nextTokens: null, allocatedTokens: 1, modelTokens: 9e9 },
        title: NASTY,
      };
      return [none, full, { ...full, warning: LINE }].map(
        (props): Draw =>
          (s) =>
            header.create(g).view(props, s),
      );
    },
  ],
  [
    'phase-bar',
    (g) => {
      const step = { label: NASTY, figures: [LINE, '1 s'], estimated: true };
      const steps = (['done', 'current', 'failed'] as const).map((state) => ({ ...step, state }));
      const keys = [
        { key: 'Esc', does: NASTY },
        { key: '^P', does: 'menu' },
      ];
      return [[], steps].map(
        (list): Draw =>
          (s) =>
            phaseBar.create(g).view({ steps: list, idle: [LINE], keys }, s),
      );
    },
  ],
  [
    'list-picker',
    (g) => {
      const items = Array.from({ length: 40 }, (_, i) => ({
        id: String(i),
        label: i === 3 ? NASTY : `item ${i}`,
        columns: [NASTY, 'b'],
      }));
      return ['', 'item', NASTY].map(
        (query): Draw =>
          (s) =>
            listPicker.create(g).view(
              {
                items: pickItems(items, query),
                total: 40,
                index: 99,
                query,
                cursor: query.length,
                placeholder: LINE,
                empty: LINE,
              },
              s,
            ),
      );
    },
  ],
  [
    'keys-help',
    (g) => {
      const sections = [{ title: NASTY, entries: [{ keys: ['Ctrl+P', NASTY], does: LINE }] }];
      return [[], sections].map(
        (list): Draw =>
          (s) =>
            keysHelp.create(g).view({ sections: list, top: 99 }, s),
      );
    },
  ],
  [
    'notices',
    (g) => {
      const notices = (['info', 'good', 'warn', 'bad'] as const).map((level) => ({
        at: 1.7e12,
        level,
        text: LINE,
        hint: LINE,
      }));
      return [[], notices].flatMap((list): Draw[] => [
        (s) => noticeStack.create(g).view({ notices: list, scrolled: 0, empty: LINE }, s),
        (s) => noticeList.create(g).view({ notices: list, scrolled: 2, empty: LINE }, s),
      ]);
    },
  ],
  [
    'question',
    (g) => {
      const choices = [
        { key: NASTY, label: NASTY },
        { key: 'n', label: 'no' },
      ];
      return [[], choices].map(
        (list): Draw =>
          (s) =>
            question.create(g).view({ lines: [LINE, ''], choices: list, focused: 1 }, s),
      );
    },
  ],
  [
    'form',
    (g) => {
      const field = { label: NASTY, text: WORDS, cursor: 40, placeholder: NASTY, secret: false };
      const fields = [{ ...field, text: '' }, field, { ...field, cursor: null }, { ...field, secret: true }];
      const lines = [{ text: LINE, token: 'bad' as const }];
      return [
        (s) => form.create(g).view({ fields: [], lines: [], choices: [], focused: 0 }, s),
        (s) => form.create(g).view({ fields, lines, choices: [], focused: 0 }, s),
        (s) => form.create(g).view({ fields, lines, choices: [NASTY, 'no'], focused: 1 }, s),
      ];
    },
  ],
  ['too-small', (g) => [(s) => tooSmall.create(g).view({ neededWidth: 60, neededHeight: 16 }, s)]],
  [
    'ways-on',
    (g) => {
      const ways = Array.from({ length: 9 }, () => ({ label: NASTY, detail: LINE }));
      return [[], ways].map(
        (list): Draw =>
          (s) =>
            waysOn.create(g).view({ title: LINE, ways: list, focused: 5, hint: LINE }, s),
      );
    },
  ],
];

describe.each(DRAWINGS)('%s', (_name, drawings) => {
  it.each([
    ['unicode', UNICODE_GLYPHS],
    ['ASCII', ASCII_GLYPHS],
  ])('stays within its size at any size, with %s glyphs', async (_set, glyphs) => {
    await loadHistoryChart();
    for (const draw of drawings(glyphs)) for (const size of SIZES) expectWithin(draw(size), size);
  });

  it('draws the same again for the same props and size', () => {
    for (const [i, draw] of drawings(UNICODE_GLYPHS).entries()) {
      const size = { width: 60, height: 12 };
      const fresh = drawings(UNICODE_GLYPHS)[i];
      draw({ width: 31, height: 4 });
      expect(draw(size).rows).toEqual(fresh?.(size).rows);
    }
  });
});
