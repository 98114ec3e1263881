import { describe, expect, it } from '@jest/globals';
import os from 'node:os';
import { directoriesOf, filesOf } from '../../../src/config/paths.js';

describe('directoriesOf', () => {
  it('uses the XDG variables', () => {
    const env = { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: '/d', XDG_STATE_HOME: '/s', XDG_CACHE_HOME: '/x' };
    expect(directoriesOf(env, 'linux', '/home/u')).toEqual({
      config: '/c/lmapp',
      data: '/d/lmapp',
      state: '/s/lmapp',
      cache: '/x/lmapp',
    });
  });

  it.each([
    {},
    { XDG_CONFIG_HOME: '', XDG_DATA_HOME: '' },
    { XDG_CONFIG_HOME: 'relative', XDG_DATA_HOME: './x' },
  ])('uses the home directory with %j, as the specification says', (env) => {
    for (const platform of ['linux', 'darwin'] as const)
      expect(directoriesOf(env, platform, '/home/u')).toEqual({
        config: '/home/u/.config/lmapp',
        data: '/home/u/.local/share/lmapp',
        state: '/home/u/.local/state/lmapp',
        cache: '/home/u/.cache/lmapp',
      });
  });

  it('uses the application folders of Windows', () => {
    const { config, data } = directoriesOf(
      { APPDATA: 'C:\\Roaming', LOCALAPPDATA: 'C:\\Local' },
      'win32',
      'C:\\Users\\u',
    );
    expect([config, data]).toEqual(['C:\\Roaming\\lmapp', 'C:\\Local\\lmapp\\data']);
    expect(directoriesOf({}, 'win32', 'C:\\Users\\u').cache).toBe(
      'C:\\Users\\u\\AppData\\Local\\lmapp\\cache',
    );
  });

  it('does not depend on the current folder when HOME is empty or relative', () => {
    for (const HOME of ['', 'relative', './x'])
      expect(directoriesOf({ HOME }, 'linux').config).toBe(`${os.userInfo().homedir}/.config/lmapp`);
  });

  it('takes HOME from the environment', () => {
    expect(filesOf(directoriesOf({ HOME: '/other' }, 'linux')).chats).toBe('/other/.local/share/lmapp/chats');
  });
});
