import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { HISTORY_ENTRIES, openHistory } from '../../../src/sessions/history.js';
import { openModelCache, openRemembered } from '../../../src/sessions/remembered.js';
import { NO_FEATURES } from '../../../src/domain/model.js';
import { useFolder } from '../../support/folder.js';
import { modelOf, server } from '../../support/machine.js';

const folder = useFolder();

describe('openHistory', () => {
  it('keeps messages with line breaks over runs, the oldest first, readable only by the user', () => {
    const file = folder.path('a', 'history.ndjson');
    const history = openHistory(file);
    expect(history.read()).toEqual([]);
    for (const text of ['one', 'two\nlines', 'two\nlines', '  ']) expect(history.append(text)).toBe(true);
    expect(openHistory(file).read()).toEqual(['one', 'two\nlines']);
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  });

  it('gives the newest entries only, and shortens a file that has grown', () => {
    const file = folder.path('history.ndjson');
    const lines = Array.from({ length: HISTORY_ENTRIES * 2 }, (_, i) => JSON.stringify(`m${i}`));
    fs.writeFileSync(file, `${lines.join('\n')}\n`);
    expect(openHistory(file).read()).toHaveLength(HISTORY_ENTRIES);
    expect(fs.readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(HISTORY_ENTRIES);
  });

  it('skips a torn line and goes on behind it', () => {
    const file = folder.path('history.ndjson');
    fs.writeFileSync(file, '"good"\n"tor');
    openHistory(file).append('next');
    expect(openHistory(file).read()).toEqual(['good', 'next']);
  });

  it('says so when it cannot write, and throws nothing', () => {
    fs.writeFileSync(folder.path('file'), '');
    expect(openHistory(folder.path('file', 'history.ndjson')).append('x')).toBe(false);
  });
});

describe('what is no file', () => {
  it.each([
    ['a pipe', (at: string) => void execFileSync('mkfifo', [at])],
    ['a device without end', (at: string) => fs.symlinkSync('/dev/zero', at)],
    ['a folder', (at: string) => fs.mkdirSync(at)],
  ])('holds nobody up: %s', (_name, make) => {
    const at = folder.path('x');
    make(at);
    expect(openHistory(at).read()).toEqual([]);
    expect(openHistory(at).append('x')).toBe(false);
    expect(openRemembered(at).read()).toBeNull();
    expect(openModelCache(at).read()).toBeNull();
  });
});

describe('cache files', () => {
  it('come back as they were written', () => {
    const cache = openRemembered(folder.path('s', 'state.json'));
    expect(cache.read()).toBeNull();
    expect(cache.write({ model: 'k/m' })).toBe(true);
    expect(cache.read()).toEqual({ model: 'k/m' });
  });

  it('count as not there when they are damaged or of another shape', () => {
    const file = folder.path('models.json');
    for (const text of ['{', '{}', '5', '']) {
      fs.writeFileSync(file, text);
      expect(openModelCache(file).read()).toBeNull();
    }
    fs.writeFileSync(
      file,
      '[{"backend":{}}, 1, null, {"backend":{"id":"a","kind":"b","url":""},"models":[]}]',
    );
    expect(openModelCache(file).read()).toEqual([]);
  });

  it('of models leave out what is damaged, and let no escape through', () => {
    const file = folder.path('models.json');
    const backend = server('ollama@a');
    const good = {
      ...modelOf('ollama@a', 'good'),
      capabilities: ['completion'],
      loadState: 'unknown' as const,
    };
    const odd = {
      key: 'ollama@a/odd',
      backendId: 5,
      name: 'odd',
      label: '\x1b[2Jodd\u202e',
      sizeBytes: 'big',
      family: {},
      contextMax: -1,
      capabilities: 'x',
      expiry: 5,
    };
    const models = [good, null, 5, { key: 'elsewhere/x', name: 'x' }, { key: 'ollama@a/y' }, odd];
    fs.writeFileSync(
      file,
      JSON.stringify([
        {
          backend: { ...backend, title: '\x1b]0;x\x07ollama', features: { load: 'yes', pull: true } },
          models,
        },
      ]),
    );
    expect(openModelCache(file).read()).toEqual([
      {
        backend: { ...backend, features: { ...NO_FEATURES, stream: false, pull: true } },
        models: [
          good,
          {
            ...modelOf('ollama@a', 'odd'),
            sizeBytes: null,
            loadState: 'unknown',
          },
        ],
      },
    ]);
  });

  it('leave the file alone when there is nothing new to keep', () => {
    const file = folder.path('same.json');
    const remembered = openRemembered(file);
    remembered.write({ model: 'a' });
    const { ino } = fs.statSync(file);
    remembered.write({ model: 'a' });
    expect(fs.statSync(file).ino).toBe(ino);
    remembered.write({ model: 'b' });
    expect(openRemembered(file).read()).toEqual({ model: 'b' });
  });

  it('say so when they cannot be written', () => {
    fs.writeFileSync(folder.path('file'), '');
    expect(openRemembered(folder.path('file', 'state.json')).write({ model: 'm' })).toBe(false);
  });
});
