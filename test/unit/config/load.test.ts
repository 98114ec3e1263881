import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { readConfigFile } from '../../../src/config/file.js';
import { describeSource, loadSettings } from '../../../src/config/load.js';
import { defaultSettings, environmentNameOf, SETTING_KEYS } from '../../../src/config/schema.js';
import { keyOf, secretsOf, withoutKeys } from '../../../src/config/secrets.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();

function load(
  text: string | null,
  env: Record<string, string> = {},
  flags: Parameters<typeof loadSettings>[2] = [],
) {
  const file = folder.path('config.json');
  if (text !== null) fs.writeFileSync(file, text);
  return loadSettings(file, env, flags);
}

describe('loadSettings', () => {
  it('gives the defaults without a file, and with an empty one', () => {
    for (const text of [null, '', ' \n']) {
      const loaded = load(text);
      expect(loaded.settings).toEqual(defaultSettings());
      expect(loaded.problems).toEqual([]);
    }
  });

  it('puts flag over environment over file over default, and knows which it was', () => {
    const { settings, sources } = load(
      '{"model": "file", "theme": "light", "fps": 10}',
      { LMAPP_MODEL: 'env', LMAPP_THEME: 'dark', LMAPP_MOUSE: 'no' },
      [{ key: 'model', value: 'flag', name: '--model' }],
    );
    expect(settings).toMatchObject({ model: 'flag', theme: 'dark', fps: 10, mouse: false, layout: 'all' });
    expect(['model', 'theme', 'fps', 'layout'].map((key) => describeSource(sources[key as 'model']))).toEqual(
      ['flag --model', 'environment LMAPP_THEME', 'file', 'default'],
    );
  });

  it('joins followed files of all sources', () => {
    const flags = [{ key: 'follow', value: ['/a'], name: '--follow' }] as const;
    const { settings, sources } = load('{"follow": ["/c", "/a"]}', { LMAPP_FOLLOW: '/b, /c' }, flags);
    expect(settings.follow).toEqual(['/a', '/b', '/c']);
    expect(describeSource(sources.follow)).toBe('flag --follow, environment LMAPP_FOLLOW, file');
  });

  it.each([
    ['{"fps": 500}', 'fps is 500; allowed is a whole number from 0 to 120; the default of fps is used'],
    ['{"theme": "pink"}', 'theme is "pink"; allowed is one of dark, light; the default of theme is used'],
    [
      '{"backends": [{"url": 5}]}',
      'backends[0].url is 5; allowed is a text that is not empty; the default of backends is used',
    ],
    ['{"backends": [{"key": "k"}]}', 'backends[0] has no url; the default of backends is used'],
    [
      '{"keys": {"message.send": "x"}}',
      'keys.message.send is "x"; allowed is a list of texts; the default of keys is used',
    ],
    [
      '{"keepAlive": "soon"}',
      'keepAlive is "soon"; allowed is a duration such as 10m, 1h, 0 or -1; the default of keepAlive is used',
    ],
  ])('says of %s where, what and what is allowed, and uses the rest', (text, message) => {
    const loaded = load(text.replace('{', '{"model": "m", '));
    expect(loaded.problems).toEqual([`${folder.path('config.json')}: ${message}`]);
    expect(loaded.settings).toEqual({ ...defaultSettings(), model: 'm' });
    expect(loaded.broken).toBe(true);
  });

  it('warns of an unknown key with the nearest name, and uses the rest', () => {
    const loaded = load('{"modle": "m", "fps": 9}');
    expect(loaded.problems).toEqual([
      `${folder.path('config.json')}: modle is not a known setting; did you mean model?`,
    ]);
    expect(loaded).toMatchObject({ settings: { fps: 9 }, broken: false });
  });

  it.each([
    ['{\n  "fps": 3,\n}', '2:11: there is a comma before }'],
    ['{\n  "fps" 3}', '2:9: a colon was expected'],
    ["{'fps': 3}", '1:2: a name in double quotes was expected'],
    ['{"fps": 3', '1:10: the file ends before the closing }'],
    ['{"fps": 03}', '1:9: a value was expected: a text in quotes, a number, true, false, null, [ or {'],
    ['{"a": "b\n"}', '1:9: the text has no closing quote on its line'],
    ['// x\n{}', '1:1: comments are not allowed'],
    ['{"a": "\\x"}', '1:8: this escape is not known; a backslash is written \\\\'],
    ['{} {}', '1:4: there is more after the end'],
    ['{"a": [1 2]}', '1:10: a comma or ] was expected'],
    ['{"a"', '1:5: a colon was expected'],
  ])('names line and column in %j', (text, place) => {
    const loaded = load(text);
    expect(loaded.problems).toEqual([`${folder.path('config.json')}:${place}; the defaults are used`]);
    expect(loaded).toMatchObject({ settings: defaultSettings(), broken: true });
  });

  it.each(['[]', 'null', '"x"', '3'])('refuses %s, which is no object', (text) => {
    expect(load(text).problems[0]).toContain('does not hold a JSON object');
  });

  it('says so when the file cannot be read, and starts with defaults', () => {
    fs.mkdirSync(folder.path('config.json'));
    const loaded = load(null);
    expect(loaded.problems[0]).toContain('cannot be read');
    expect(loaded.settings).toEqual(defaultSettings());
  });

  it('waits for no pipe and reads no device or file without end, and says the next step', () => {
    const file = folder.path('config.json');
    for (const make of [
      () => execFileSync('mkfifo', [file]),
      () => fs.symlinkSync('/dev/zero', file),
      () => fs.writeFileSync(file, ' '.repeat(5 * 2 ** 20)),
      () => fs.mkdirSync(file),
    ]) {
      fs.rmSync(file, { force: true });
      make();
      const loaded = load(null);
      expect(loaded.settings).toEqual(defaultSettings());
      expect(loaded.problems.join()).toContain('cannot be read');
      expect(() => readConfigFile(file)).toThrow(
        expect.objectContaining({
          code: 'config.unreadable',
          hint: expect.stringContaining(file) as unknown,
        }),
      );
    }
  });

  it('does not use a variable that is not allowed, and counts an empty one as not set', () => {
    const loaded = load('{"fps": 7}', { LMAPP_FPS: 'many', LMAPP_THEME: '' });
    expect(loaded.problems).toEqual(['LMAPP_FPS is "many"; allowed is a whole number from 0 to 120']);
    expect(loaded.settings).toMatchObject({ fps: 7, theme: 'dark' });
  });

  it('takes null for not set from everywhere, and holds the rest to its range', () => {
    const { settings, problems } = load('{"temperature": 0, "topP": null, "seed": 7}', {
      LMAPP_SEED: 'null',
      LMAPP_MAX_TOKENS: '200',
    });
    expect(settings).toMatchObject({ temperature: 0, topP: null, seed: null, maxTokens: 200 });
    expect(problems).toEqual([]);
    const wrong = load('{"temperature": 6, "topP": 0, "seed": 1.5}', { LMAPP_MAX_TOKENS: '0' });
    expect(wrong.settings).toMatchObject({ temperature: null, topP: null, seed: null, maxTokens: null });
    expect(wrong.problems.join('\n')).toMatch(/temperature is 6; allowed is a number from 0 to 5, or null/);
    expect(wrong.problems.join('\n')).toMatch(/topP is 0; allowed is a number above 0, at most 1, or null/);
    expect(wrong.problems).toHaveLength(4);
  });

  it('accepts a byte order mark', () => {
    expect(load('\uFEFF{"fps": 7}').settings.fps).toBe(7);
  });

  it('has a default for every setting that its own schema allows', () => {
    const text = JSON.stringify(defaultSettings());
    expect(load(text).problems).toEqual([]);
    expect(SETTING_KEYS.map(environmentNameOf)).toContain('LMAPP_IDLE_TIMEOUT_S');
  });
});

describe('keys of servers', () => {
  const backends = [
    { url: 'http://a', key: '${A_KEY}' },
    { url: 'http://b', key: 'secret' },
    { url: 'http://c' },
  ];
  const settings = { ...defaultSettings(), backends };

  it('come from the environment when they name a variable', () => {
    expect(backends.map((backend) => keyOf(backend, { A_KEY: 'xyz' }))).toEqual(['xyz', 'secret', null]);
    expect(() => keyOf({ url: 'http://a', key: '${A_KEY}' }, {})).toThrow('A_KEY, which is not set');
    expect(secretsOf(settings, {})).toEqual(['secret']);
  });

  it('are hidden in what is shown, logged and recorded, and in messages', () => {
    expect(withoutKeys(settings).backends.map(({ key }) => key)).toEqual(['${A_KEY}', '••••', undefined]);
    expect(load('{"backends": [{"url": "http://a", "key": 12345}]}').problems[0]).not.toContain('12345');
  });
});
