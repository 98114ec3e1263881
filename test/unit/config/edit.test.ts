import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setFromText, setValue, unsetValue } from '../../../src/config/edit.js';
import { bundleProgram } from '../../support/bundle.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();
const file = () => folder.path('lmapp', 'config.json');
const contents = () => JSON.parse(fs.readFileSync(file(), 'utf8')) as Record<string, unknown>;

function write(text: string): void {
  fs.mkdirSync(folder.path('lmapp'));
  fs.writeFileSync(file(), text);
}

describe('editing the configuration', () => {
  it('reads values by the type of their setting', () => {
    for (const [key, text] of [
      ['model', 'tinyllama'],
      ['preload', 'yes'],
      ['fps', '30'],
      ['idleTimeoutS', '1.5'],
      ['follow', '/a, /b'],
      ['keys.message.send', '["ctrl+s"]'],
      ['keys.app.quit', 'f10,f12'],
      ['backends', 'ollama+http://gpu-box:11434,http://h:1'],
      ['keepAlive', '-1'],
      ['models.paths', '/mnt/models, ~/gguf'],
    ] as const)
      setFromText(file(), key, text);
    expect(contents()).toEqual({
      model: 'tinyllama',
      preload: true,
      fps: 30,
      idleTimeoutS: 1.5,
      follow: ['/a', '/b'],
      keys: { 'message.send': ['ctrl+s'], 'app.quit': ['f10', 'f12'] },
      backends: [{ kind: 'ollama', url: 'http://gpu-box:11434' }, { url: 'http://h:1' }],
      keepAlive: '-1',
      models: { paths: ['/mnt/models', '~/gguf'] },
    });
  });

  it('writes a file that only its owner can read, whole or not at all', () => {
    setFromText(file(), 'model', 'm');
    expect(fs.statSync(file()).mode & 0o777).toBe(0o600);
    expect(fs.statSync(folder.path('lmapp')).mode & 0o777).toBe(0o700);
    expect(fs.readdirSync(folder.path('lmapp'))).toEqual(['config.json']);
  });

  it('refuses what is not allowed, and names what is near', () => {
    expect(() => setFromText(file(), 'fps', '500')).toThrow(
      'fps is "500"; allowed is a whole number from 0 to 120',
    );
    expect(() => setFromText(file(), 'modle', 'x')).toThrow(
      expect.objectContaining({ hint: 'Did you mean model?', exitCode: 2 }),
    );
    expect(() => setFromText(file(), 'model.x', 'x')).toThrow('model.x is not a known setting');
    expect(() => setFromText(file(), 'models.path', 'x')).toThrow(
      expect.objectContaining({ hint: 'Did you mean models.paths?' }),
    );
    expect(() => setFromText(file(), 'backends', '[{"urll": "x"}]')).toThrow('backends[0]');
    expect(fs.existsSync(file())).toBe(false);
  });

  it.each(['{"fps": 3,}', '[]', '{"fps": 3', '"x"'])('never overwrites the broken file %s', (text) => {
    write(text);
    expect(() => setFromText(file(), 'model', 'm')).toThrow('config.json');
    expect(() => unsetValue(file(), 'model')).toThrow('config.json');
    expect(fs.readFileSync(file(), 'utf8')).toBe(text);
  });

  it('leaves an invalid file alone until the edit makes it valid', () => {
    write('{"fps": 500, "mine": 1}');
    expect(() => setFromText(file(), 'model', 'm')).toThrow('fps is 500');
    expect(contents()).toEqual({ fps: 500, mine: 1 });
    setFromText(file(), 'fps', '50');
    setFromText(file(), 'model', 'm');
    expect(contents()).toEqual({ fps: 50, mine: 1, model: 'm' });
  });

  it('takes values out, also unknown ones, and says when there was none', () => {
    write('{"fps": 5, "mine": 1, "keys": {"app.quit": ["f10"]}}');
    expect(unsetValue(file(), 'mine')).toBe(true);
    expect(unsetValue(file(), 'keys.app.quit')).toBe(true);
    expect(unsetValue(file(), 'model')).toBe(false);
    expect(contents()).toEqual({ fps: 5 });
  });

  it('keeps a symbolic link', () => {
    fs.mkdirSync(folder.path('lmapp'));
    fs.symlinkSync(folder.path('real.json'), file());
    setValue(file(), 'layout', 'chat');
    expect(fs.lstatSync(file()).isSymbolicLink()).toBe(true);
    expect(JSON.parse(fs.readFileSync(folder.path('real.json'), 'utf8'))).toEqual({ layout: 'chat' });
  });

  it('says what stands in the way of writing', () => {
    fs.writeFileSync(folder.path('lmapp'), '');
    expect(() => setValue(file(), 'layout', 'chat')).toThrow(/configuration cannot be/);
    expect(() => setValue(file(), 'fps', 30)).toThrow(
      expect.objectContaining({
        hint: `Make ${folder.path('lmapp')} a folder of yours that you may write; XDG_CONFIG_HOME chooses another place.`,
      }),
    );
  });

  it('two writers at the same time lose nothing', async () => {
    const program = folder.path('writer.ts');
    const edit = path.resolve('src/config/edit.ts');
    fs.writeFileSync(
      program,
      `import { setValue } from ${JSON.stringify(edit)};
const [file, prefix] = process.argv.slice(2);
for (let i = 0; i < 20; i++) setValue(file, 'keys.' + prefix + i, ['f1']);`,
    );
    const built = await bundleProgram(program);
    const runs = ['a', 'b'].map(
      (prefix) =>
        new Promise((resolve) =>
          spawn(process.execPath, [built, file(), prefix], { cwd: path.dirname(edit) }).once('exit', resolve),
        ),
    );
    expect(await Promise.all(runs)).toEqual([0, 0]);
    expect(Object.keys(contents()['keys'] as object)).toHaveLength(40);
  });
});
