import { EXIT, LmappError } from '../errors.js';
import type { Command } from './command.js';
import { isOn, listOf, textOf } from './options.js';

export const config: Command = {
  name: 'config',
  does: 'Shows and changes the configuration.',
  options: [
    { name: 'show', type: 'boolean', does: 'every setting, its value and where it comes from' },
    {
      name: 'set',
      type: 'string',
      words: 2,
      takes: 'KEY VALUE',
      does: 'set a value in the file',
      completes: 'setting',
    },
    {
      name: 'unset',
      type: 'string',
      takes: 'KEY',
      does: 'take a value out of the file',
      completes: 'setting',
    },
    { name: 'path', type: 'boolean', does: 'where the file is' },
    { name: 'json', type: 'boolean', does: 'with --show: print JSON' },
  ],
  examples: [
    ['lmapp config --set model qwen3:8b', 'the model to start with'],
    ['lmapp config --set keys.message.send ctrl+s', 'another key for a command'],
    ['lmapp config --show', 'all settings and where they come from'],
  ],
  async run(context, args) {
    const { ports, files, stdout, stderr } = context;
    const set = listOf(args, 'set');
    const unset = textOf(args, 'unset');
    const asked = [set.length > 0, unset !== null, isOn(args, 'path')].filter(Boolean).length;
    if (asked > 1)
      throw new LmappError('usage', 'one of --set, --unset, --path at a time', { exitCode: EXIT.usage });
    if (isOn(args, 'path')) {
      stdout.write(`${files.config}\n`);
      return EXIT.ok;
    }
    const [{ setFromText, unsetValue }, { keyProblems, refuseWrongKeys }, { refuseWrongServers }] =
      await Promise.all([
        import('../config/edit.js'),
        import('./keys-of-settings.js'),
        import('./servers-of-settings.js'),
      ]);
    if (set.length > 2) throw new LmappError('usage', 'one --set at a time', { exitCode: EXIT.usage });
    if (set.length === 2) {
      setFromText(files.config, set[0] ?? '', set[1] ?? '', (key, value) => {
        refuseWrongKeys(key, value);
        refuseWrongServers(key, value);
      });
      const [setting = '', ...member] = (set[0] ?? '').split('.');
      if (setting !== 'keys') return EXIT.ok;
      // Commands that change places clash in between, so it is told and not refused.
      const { loadSettings } = await import('../config/load.js');
      for (const problem of keyProblems(loadSettings(files.config, ports.env).settings))
        if (problem.includes(member.join('.'))) stderr.write(`lmapp: ${problem}\n`);
      return EXIT.ok;
    }
    if (unset !== null) {
      if (!unsetValue(files.config, unset)) stderr.write(`${unset} was not set in ${files.config}\n`);
      return EXIT.ok;
    }
    const [{ loadSettings }, { settingsAsJson, settingsAsText }] = await Promise.all([
      import('../config/load.js'),
      import('../config/show.js'),
    ]);
    const loaded = loadSettings(files.config, ports.env);
    stdout.write(isOn(args, 'json') ? settingsAsJson(loaded, ports.env) : settingsAsText(loaded, ports.env));
    for (const problem of [...loaded.problems, ...keyProblems(loaded.settings)])
      stderr.write(`lmapp: ${problem}\n`);
    return loaded.broken ? EXIT.failure : EXIT.ok;
  },
};
