import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { makeHome, type Home } from '../support/home.js';
import { LMAPP, runLmapp } from '../support/run-lmapp.js';

let home: Home;
beforeEach(() => {
  home = makeHome();
});
afterEach(() => home.remove());

const run = (...args: string[]) => runLmapp(args, { env: home.env });
const configFile = () => path.join(home.folder, 'config', 'lmapp', 'config.json');

describe('the command line', () => {
  it('tells its version', async () => {
    const { version } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as { version: string };
    expect(await run('--version')).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('explains itself with examples', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const text of ['lmapp chat', '--no-discovery', 'Examples:', 'lmapp config --set model'])
      expect(stdout).toContain(text);
    const chat = (await run('chat', '--help')).stdout;
    expect(chat).toContain('lmapp chat "Why is the sky blue?"');
    // The words of a message are no array to who reads this.
    expect(chat).toContain('stands for what comes from standard input\n');
  });

  it.each([
    [['modles'], 'modles is not a known command', 'Did you mean models?'],
    [['--modle', 'x'], '--modle is not a known option', 'Did you mean --model?'],
    [['-x'], 'lmapp: -x is not a known option', 'lmapp --help'],
    [['chat', '--sistem', 'x', 'hi'], '--sistem is not a known option', 'Did you mean --system?'],
    [['tui', '--fps', 'x'], '--fps needs a number', 'lmapp tui --help tells all'],
    [['tui', '--model'], '--model needs a value', 'lmapp tui --help tells all'],
    [['completion', 'bsh'], 'bsh is not a shell', 'Did you mean'],
    [['config', '--set', 'fps'], '--set needs a value', 'lmapp config --help tells all'],
    [['config', '--set', 'keys.turn.cpy', 'y'], 'keys.turn.cpy: no such command', 'Did you mean turn.copy'],
    [['config', '--set', 'keys', '{"turn.cpy": ["y"]}'], 'no such command', 'Did you mean turn.copy'],
    [
      ['config', '--set', 'keys.turn.copy', 'ctrl+pagup'],
      'keys.turn.copy: no such key as ctrl+pagup',
      'Did you mean ctrl+pageup?',
    ],
    [
      ['config', '--set', 'backends', 'gopher://h'],
      'begins with gopher://',
      'Examples: http://127.0.0.1:11434',
    ],
    [['config', '--set', 'backends', 'olama+http://h'], 'olama is not a known kind', 'Known are ollama'],
    [['config', '--set', 'modle', 'x'], 'modle is not a known setting', 'Did you mean model?'],
    [['chat', '--fallback', 'x', 'hi'], 'lmapp: --fallback is "x"; allowed is one of', 'ask, auto'],
    [['models', 'pull'], 'which model?', '"lmapp models catalogue" lists'],
    [['logs', '--grep', '('], 'not a regular expression: unterminated group', 'has a \\ before it'],
    [['models', '--url', 'ftp://x'], 'ftp://', 'http://'],
    [['models', '--url', 'foo+http://x'], 'foo is not a known kind', 'ollama'],
  ])('refuses %j with code 2 and a suggestion', async (args, message, hint) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain('    at ');
  });

  it('tells an option that another command has from one that nobody has', async () => {
    const { code, stderr } = await run('engine', 'remove', '--gpu', 'cuda');
    expect(code).toBe(2);
    expect(stderr).toBe(
      'lmapp: --gpu is not an option of lmapp engine remove\nlmapp engine remove --help tells those that it has.\n',
    );
  });

  it.each([
    [['models', 'load', '--json'], 2, 'usage', 'which model?'],
    [['models', 'show', 'x', '--json', '--no-discovery'], 1, 'no-model', 'no server has a model'],
    [['models', '--json', '--bogus'], 2, 'usage', '--bogus is not a known option'],
    [['backends', 'add', '--json'], 2, 'usage', 'which server?'],
    [['backends', 'add', 'http://127.0.0.1:1', '--json'], 1, 'backend.away', /was not added/],
    [['backends', 'remove', 'gpu-box', '--json'], 1, 'backend.unknown', /does not stand in/],
    [['logs', '--json', '--source', 'nope:x'], 2, 'unknown-source', 'there is no log nope:x'],
    [['chat', 'hi', '--json', '--no-discovery'], 1, 'no-model', 'no model server was found'],
  ] as const)(
    'with --json tells a failure as one object, with the same exit code: %j',
    async (args, code, fault, message) => {
      const json = await run(...args);
      expect(json.code).toBe(code);
      expect(JSON.parse(json.stdout)).toEqual({
        type: 'ended',
        outcome: 'failed',
        fault: {
          code: fault,
          message: typeof message === 'string' ? message : (expect.stringMatching(message) as unknown),
          hint: expect.any(String) as unknown,
          status: null,
        },
      });
      const plain = await run(...args.filter((word) => word !== '--json'));
      expect([plain.code, plain.stdout, plain.stderr]).toEqual([code, '', json.stderr]);
    },
  );

  it('does not take --json behind -- for an option', async () => {
    const { code, stdout, stderr } = await run('chat', '--no-discovery', '--', '--json');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('no model server was found');
  });

  it.each(['--help', '--version', 'models --mock --json', 'chat --mock hi'])(
    'fails when what it says cannot be written: %s',
    (words) => {
      const { status, stderr } = spawnSync(
        'sh',
        ['-c', `"$0" "$1" ${words} > /dev/full`, process.execPath, LMAPP],
        {
          env: { PATH: process.env['PATH'], ...home.env },
          encoding: 'utf8',
        },
      );
      expect([status, stderr]).toEqual([
        1,
        expect.stringMatching(/^lmapp: the output could not be written: ENOSPC/),
      ]);
    },
  );

  it('refuses words behind -- where a command takes none', async () => {
    const { code, stderr } = await run('doctor', '--', '--json');
    expect(code).toBe(2);
    expect(stderr).toContain('lmapp doctor takes no words: --json');
  });

  it.each([[[]], [['tui']], [['--mock', '--fps', '10']]])(
    'refuses the dashboard without a terminal: %j',
    async (args) => {
      const { code, stdout, stderr } = await run(...args);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain('needs a terminal');
      expect(stderr).not.toContain('\x1b');
    },
  );
});

describe('lmapp config', () => {
  it('an address in the file that is none is named by its place there, and its password is not shown', async () => {
    home.configure({ backends: [{ url: 'http://h' }, { url: 'http://me:secret@h' }] });
    const { code, stderr } = await run('models', '--no-discovery');
    expect(code).toBe(2);
    expect(stderr).toContain('configuration: backends[1]: An address with a user or a password');
    const shown = (await run('config', '--show')).stdout;
    expect(shown).toContain('@h');
    expect(shown).not.toContain('secret');
  });

  it('tells of keys in the file that mean nothing, as the dashboard and doctor do, and can take them out', async () => {
    home.configure({ keys: { 'no.such': ['y'], 'turn.copy': ['C'] } });
    const shown = await run('config', '--show');
    expect(shown).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^lmapp: keys\.no\.such: no such command/) as unknown,
    });
    expect((await run('doctor')).stdout).toContain('keys.no.such: no such command');
    expect(await run('config', '--set', 'keys.turn.retry', 'R')).toMatchObject({ code: 0, stderr: '' });
    expect(await run('config', '--set', 'keys.turn.copy', 'R')).toMatchObject({
      code: 0,
      stderr:
        'lmapp: keys: R in transcript is both turn.copy and turn.retry; turn.copy and turn.retry keep their defaults\n',
    });
    expect(await run('config', '--unset', 'keys.turn.copy')).toMatchObject({ code: 0 });
    expect(await run('config', '--unset', 'keys.no.such')).toMatchObject({ code: 0 });
    expect(await run('config', '--show')).toMatchObject({ code: 0, stderr: '' });
  });

  it('shows where each value comes from', async () => {
    home.configure({ model: 'from-file', backends: [{ url: 'http://h', key: 'hidden-key' }] });
    const { code, stdout } = await runLmapp(['config', '--show'], { env: { ...home.env, LMAPP_FPS: '12' } });
    expect(code).toBe(0);
    expect(stdout).toContain(configFile());
    expect(stdout).toMatch(/^model +"from-file" +file$/m);
    expect(stdout).toMatch(/^fps +12 +environment LMAPP_FPS$/m);
    expect(stdout).toMatch(/^layout +"all" +default$/m);
    expect(stdout).not.toContain('hidden-key');
    const json = JSON.parse((await run('config', '--show', '--json')).stdout) as { settings: object };
    expect(json.settings).toMatchObject({ model: { value: 'from-file', source: 'file' } });
  });

  it('sets, unsets and tells the path', async () => {
    expect(await run('config', '--set', 'model', 'tinyllama')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
    await run('config', '--set', 'keepAlive', '-1');
    expect(JSON.parse(fs.readFileSync(configFile(), 'utf8'))).toEqual({
      model: 'tinyllama',
      keepAlive: '-1',
    });
    await run('config', '--unset', 'model');
    expect(JSON.parse(fs.readFileSync(configFile(), 'utf8'))).toEqual({ keepAlive: '-1' });
    expect((await run('config', '--path')).stdout).toBe(`${configFile()}\n`);
  });

  it('tells line and column of a broken file, and never overwrites it', async () => {
    fs.mkdirSync(path.dirname(configFile()), { recursive: true });
    fs.writeFileSync(configFile(), '{\n  "fps": 3,\n}\n');
    expect(await run('config', '--show')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('config.json:2:11') as unknown,
    });
    expect(await run('config', '--set', 'fps', '5')).toMatchObject({ code: 2 });
    expect(fs.readFileSync(configFile(), 'utf8')).toBe('{\n  "fps": 3,\n}\n');
  });

  it('uses the validator that was made at build time', async () => {
    home.configure({ fps: 999, keepAlive: 'soon', modle: 1 });
    const { stderr } = await run('config', '--show');
    for (const text of [
      'fps is 999; allowed is a whole number from 0 to 120',
      'keepAlive is "soon"',
      'did you mean model?',
    ])
      expect(stderr).toContain(text);
  });
});

describe('completion in bash', () => {
  const hasBash = spawnSync('bash', ['--version']).status === 0;

  /** Sources the script in a real bash and asks it as a Tab at the end of the line would. */
  function completed(line: string): readonly string[] {
    // bash splits words at these, too; COMP_WORDS is made as bash does it.
    const words = line.split(/([:=]|\s+)/).filter((word) => word.trim() !== '');
    if (/\s$/.test(line)) words.push('');
    const script = `
      lmapp() { "${process.execPath}" "${LMAPP}" "$@"; }
      eval "$(lmapp completion bash)"
      COMP_LINE=${quoted(line)}; COMP_POINT=\${#COMP_LINE}; COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
      COMP_WORDS=(${words.map(quoted).join(' ')}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
      complete -p lmapp >/dev/null && _lmapp && printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = spawnSync('bash', ['-c', script], {
      env: { PATH: process.env['PATH'], ...home.env },
      encoding: 'utf8',
    });
    return stdout.split('\n').filter((word) => word !== '');
  }
  const quoted = (word: string): string => `'${word.replace(/'/g, "'\\''")}'`;

  beforeEach(() => {
    const cache = path.join(home.folder, 'cache', 'lmapp');
    fs.mkdirSync(cache, { recursive: true });
    const models = ['qwen3:8b', 'qwen3:14b', 'llama3.2:3b'].map((name) => ({ key: `o/${name}`, name }));
    fs.writeFileSync(
      path.join(cache, 'models.json'),
      JSON.stringify([
        { backend: { id: 'o', kind: 'ollama', title: 'o', url: 'http://o', features: {} }, models },
      ]),
    );
  });

  (hasBash ? it : it.skip)('completes commands, options, settings and models', () => {
    expect(completed('lmapp ')).toEqual([
      'tui',
      'chat',
      'models',
      'backends',
      'engine',
      'config',
      'status',
      'logs',
      'doctor',
      'completion',
    ]);
    expect(completed('lmapp c')).toEqual(['chat', 'config', 'completion']);
    expect(completed('lmapp chat --mo')).toEqual(['--model', '--mock']);
    expect(completed('lmapp config --set the')).toEqual(['theme']);
    expect(completed('lmapp config --set theme ')).toEqual(['dark', 'light']);
    expect(completed('lmapp config --unset key')).toEqual(['keys']);
    expect(completed('lmapp config --set keys.chat.n')).toEqual(['keys.chat.new']);
    expect(completed('lmapp config --unset models.')).toEqual(['models.paths']);
    expect(completed('lmapp config --set contexts.ll')).toEqual(['contexts.llama3.2:3b']);
    expect(completed('lmapp --fallback ')).toEqual(['ask', 'auto']);
    expect(completed('lmapp engine install --gpu=c')).toEqual(['cuda']);
    expect(completed('lmapp completion f')).toEqual(['fish']);
    expect(completed('lmapp --model qw')).toEqual(['qwen3:8b', 'qwen3:14b']);
    expect(completed('lmapp config --set model ll')).toEqual(['llama3.2:3b']);
  });

  (hasBash ? it : it.skip)('replaces only what stands behind the last colon, as bash does', () => {
    expect(completed('lmapp chat --model qwen3:1')).toEqual(['14b']);
    expect(completed('lmapp --model=qwen3:')).toEqual(['8b', '14b']);
  });

  it.each(['bash', 'zsh', 'fish'])('prints a script for %s that the shell accepts', async (shell) => {
    const { stdout } = await run('completion', shell);
    expect(stdout).toContain('__complete');
    if (spawnSync(shell, ['--version']).error) return;
    expect(spawnSync(shell, ['-n'], { input: stdout }).status).toBe(0);
  });
});
