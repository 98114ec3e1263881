import { describe, expect, it } from '@jest/globals';
import { ASCII_GLYPHS, UNICODE_GLYPHS as G } from '../../widgets/glyphs.js';
import { keysHelp } from '../../widgets/keys-help.js';
import { listPicker, pickItems } from '../../widgets/list-picker.js';
import { noticeList, noticeStack } from '../../widgets/notices.js';
import { question } from '../../widgets/question.js';
import { tooSmall } from '../../widgets/too-small.js';
import { waysOn } from '../../widgets/ways-on.js';
import { texts, tokensOf } from './drawing.js';

describe('the picker', () => {
  const items = [
    { id: '1', label: 'qwen3:8b', columns: ['ollama', 'loaded'] },
    { id: '2', label: 'llama3.2:3b', columns: ['ollama', 'fits'], keywords: 'meta' },
    { id: '3', label: 'smollm2', columns: ['llama.cpp', ''] },
  ];
  const draw = (query: string, index: number, height = 5) =>
    listPicker.create(G).view(
      {
        items: pickItems(items, query),
        total: 3,
        index,
        query,
        cursor: query.length,
        placeholder: 'type to filter',
        empty: 'no model matches',
      },
      { width: 50, height },
    );

  it('has the signs of its columns in ASCII, too', () => {
    const unknown = [{ id: '1', label: 'mock', columns: ['chosen', '—', 'mock · here'] }];
    const props = { items: pickItems(unknown, ''), total: 1, index: 0, query: '', cursor: 0 };
    const words = { placeholder: 'type', empty: '' };
    const view = listPicker.create(ASCII_GLYPHS).view({ ...props, ...words }, { width: 60, height: 3 });
    expect(texts(view.rows).join('')).toMatch(/^[\x20-\x7e]+$/);
  });

  it('shows a filter line and aligned items, one focused', () => {
    const view = draw('', 1);
    expect(texts(view.rows)).toEqual([
      ' › type to filter                             3/3',
      '   qwen3:8b                     ollama     loaded',
      ' ▸ llama3.2:3b                  ollama     fits',
      '   smollm2                      llama.cpp',
    ]);
    expect([view.cursor, view.rows[2]?.fill]).toEqual([{ x: 3, y: 0 }, 'selection']);
  });

  it('puts hits in the name before hits elsewhere, and marks them', () => {
    expect(pickItems(items, 'llama').map(({ item }) => item.id)).toEqual(['2', '3', '1']);
    expect(tokensOf(draw('qw', 0).rows, 'qw')).toEqual(['text', 'match']);
  });

  it('finds by words that are not shown', () => {
    expect(pickItems(items, 'meta').map(({ item }) => item.id)).toEqual(['2']);
  });

  it('says so when nothing is left, and clamps the focus', () => {
    expect(texts(draw('zzz', 0).rows)[1]).toBe(' no model matches');
    expect(draw('', 99).rows.at(-1)?.fill).toBe('selection');
  });

  it('keeps the focused item in view', () => {
    expect(texts(draw('', 2, 2).rows)[1]).toContain('smollm2');
  });
});

describe('overlays', () => {
  it('list the keys by place and scroll', () => {
    const sections = [
      {
        title: 'everywhere',
        entries: [
          { keys: ['Ctrl+P'], does: 'menu' },
          { keys: ['F1', '?'], does: 'keys' },
        ],
      },
      { title: 'log', entries: [{ keys: ['f'], does: 'follow' }] },
    ];
    const help = keysHelp.create(G);
    const size = { width: 30, height: 20 };
    expect(texts(help.view({ sections, top: 0 }, size).rows)).toEqual([
      ' everywhere',
      '   Ctrl+P  menu',
      '   F1  ?   keys',
      '',
      ' log',
      '   f       follow',
    ]);
    expect(texts(help.view({ sections, top: 99 }, { width: 30, height: 2 }).rows)).toEqual([
      ' log',
      '   f       follow',
    ]);
    expect(help.rowCount({ sections, top: 0 }, 30)).toBe(6);
  });

  it('go on with keys in the next row where there is no room for all', () => {
    const entries = [
      { keys: ['Ctrl+W', 'Alt+Backspace', 'Ctrl+Backspace'], does: 'cut the word to the left' },
    ];
    const rows = keysHelp
      .create(G)
      .view({ sections: [{ title: 'message', entries }], top: 0 }, { width: 60, height: 9 }).rows;
    expect(texts(rows)).toEqual([
      ' message',
      '   Ctrl+W  Alt+Backspace         cut the word to the left',
      '   Ctrl+Backspace',
    ]);
  });

  it('show notices with a glyph, their time and the next step', () => {
    const at = new Date(2026, 0, 2, 9, 5).getTime();
    const notices = [
      { at, level: 'bad' as const, text: 'ollama does not answer', hint: 'start it with "ollama serve"' },
      { at, level: 'good' as const, text: 'ollama is back', hint: null },
    ];
    const props = { notices, scrolled: 0, empty: 'nothing happened' };
    const size = { width: 60, height: 9 };
    expect(texts(noticeStack.create(G).view(props, size).rows)).toEqual([
      ' ✗ ollama does not answer',
      '   start it with "ollama serve"',
      ' ✓ ollama is back',
    ]);
    expect(texts(noticeList.create(G).view(props, size).rows)).toEqual([
      ' 09:05 ✓ ollama is back',
      ' 09:05 ✗ ollama does not answer',
      '         start it with "ollama serve"',
    ]);
  });

  it('keep the choices of a question visible when there is little room', () => {
    const props = {
      lines: ['Delete llama3.3:70b?', 'It takes 42.5 GB to get it again.'],
      choices: [
        { key: 'n', label: 'keep it' },
        { key: 'y', label: 'delete it' },
      ],
      focused: 0,
    };
    const ask = question.create(G);
    expect(texts(ask.view(props, { width: 40, height: 9 }).rows)).toEqual([
      ' Delete llama3.3:70b?',
      ' It takes 42.5 GB to get it again.',
      '',
      ' ▸ n  keep it',
      '   y  delete it',
    ]);
    expect(ask.desiredHeight(props, 40)).toBe(5);
    expect(texts(ask.view(props, { width: 40, height: 2 }).rows)).toEqual([
      ' ▸ n  keep it',
      '   y  delete it',
    ]);
  });

  it('say in the middle which size is needed', () => {
    const needed = { neededWidth: 60, neededHeight: 16 };
    expect(texts(tooSmall.create(G).view(needed, { width: 40, height: 3 }).rows)).toEqual([
      '',
      '    lmapp needs 60×16, this is 40×3',
    ]);
    expect(texts(tooSmall.create(G).view(needed, { width: 6, height: 1 }).rows)).toEqual(['60×16']);
  });

  it('offer the ways on with the likeliest focused', () => {
    const props = {
      title: 'No server found.',
      ways: [
        { label: 'start ollama', detail: 'installed here' },
        { label: 'use the mock', detail: '' },
      ],
      focused: 0,
      hint: 'Enter chooses',
    };
    const rows = [
      'No server found.',
      '',
      '▸ start ollama  installed here',
      '  use the mock',
      '',
      'Enter chooses',
    ];
    expect(texts(waysOn.create(G).view(props, { width: 60, height: 9 }).rows)).toEqual(
      rows.map((row) => (row === '' ? '' : ` ${row}`)),
    );
    expect(texts(waysOn.create(G).view(props, { width: 30, height: 3 }).rows)).toContain(' ▸ start ollama');
  });
});
