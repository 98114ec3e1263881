import yargs from 'yargs';
import type { Argv } from 'yargs';
import type { Command, CommandContext } from './commands/command.js';
import { tellFailure } from './commands/failure-as-json.js';
import type { Arguments, OptionSpec, OptionValue } from './commands/options.js';
import { COMMANDS } from './commands/registry.js';
import { tui } from './commands/tui.js';
import { nearestNames } from './domain/names.js';
import { EXIT, LmappError, messageOf } from './errors.js';

/** Widest lines of the help. */
const HELP_COLUMNS = 100;

/** With those that other commands have. */
const ALL_COMMANDS = COMMANDS.flatMap((command) => [command, ...(command.commands ?? [])]);

interface Chosen {
  readonly command: Command;
  readonly args: Arguments;
}

/**
 * Reads a command line, prints help, or runs the command. Resolves to the exit code. Errors: LmappError, code 2 for wrong usage; with
 * --json they are told on standard output, too.
 */
export async function runCommandLine(context: CommandContext, words: readonly string[]): Promise<number> {
  try {
    return await readAndRun(context, words);
  } catch (error) {
    const options = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
    if (options.includes('--json')) tellFailure(context.stdout, error);
    throw error;
  }
}

async function readAndRun(context: CommandContext, words: readonly string[]): Promise<number> {
  let chosen: Chosen | null = null;
  let output = '';
  const parser = mountCommands(context, (command, args) => (chosen = { command, args }));
  await parser.parseAsync([...words], {}, (_error: unknown, _args: unknown, text: string) => {
    output = text;
  });
  if (output !== '') {
    // What yargs says of the words of a command means nothing to who reads the help.
    context.stdout.write(`${output.replace(/ +\[array\] \[default: \[\]\]$/gm, '')}\n`);
    return EXIT.ok;
  }
  // TypeScript does not see that the handler of yargs has set it.
  const { command, args } = (chosen as Chosen | null) ?? { command: tui, args: { options: {}, words: [] } };
  refuseWrongValues(command, args);
  return command.run(context, args);
}

function mountCommands(context: CommandContext, choose: (command: Command, args: Arguments) => void): Argv {
  const parser = yargs()
    .scriptName('lmapp')
    .parserConfiguration({
      // Options are called as they are written, `--no-x` included; a list takes one word at a time.
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-positional-numbers': false,
      // Words behind `--` are words, whatever they begin with.
      'populate--': true,
      'strip-dashed': true,
    })
    .locale('en')
    .usage(
      'Dashboard and command line for language models on your own machines.\n\nlmapp [COMMAND] [OPTIONS]',
    )
    .version(context.version)
    .help()
    .alias('help', 'h')
    .describe({
      help: 'show this help; also for one command: lmapp chat --help',
      version: 'show the version',
    })
    .wrap(Math.min(HELP_COLUMNS, context.stdout.columns ?? HELP_COLUMNS))
    .strict()
    .exitProcess(false)
    .epilogue(
      'Configuration: lmapp config --show. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 cancelled.',
    )
    .fail((message: string, error: unknown) => {
      // Most faults come as a message, some as an error of the parser's own.
      throw error instanceof LmappError ? error : usageError(message || messageOf(error));
    });
  for (const command of COMMANDS) mount(parser, command, choose);
  for (const [line, does] of COMMANDS.filter((each) => each !== tui).flatMap((each) => each.examples))
    parser.example(line, does);
  return parser;
}

function mount(parser: Argv, command: Command, choose: (command: Command, args: Arguments) => void): void {
  const { words } = command;
  const pattern = words ? `${command.name} [${words.name}..]` : command.name;
  parser.command(
    command === tui ? [pattern, '$0'] : pattern,
    command.does,
    (sub) => {
      for (const part of command.commands ?? []) mount(sub, part, choose);
      if (words) {
        sub.positional(words.name, {
          type: 'string',
          array: true,
          describe: words.does,
          ...(words.choices ? { choices: words.choices } : {}),
        });
      }
      for (const option of command.options) mountOption(sub, option);
      for (const [line, does] of command.examples) sub.example(line, does);
      return sub;
    },
    (argv) => choose(command, argumentsFrom(command, argv)),
  );
}

function mountOption(parser: Argv, option: OptionSpec): void {
  parser.option(option.name, {
    type: option.type,
    // Not for the commands of a command.
    global: false,
    describe: option.takes ? `${option.does} (${option.takes})` : option.does,
    ...(option.many ? { array: true } : {}),
    ...(option.type === 'boolean' ? {} : { nargs: option.words ?? 1, requiresArg: true }),
  });
}

function argumentsFrom(command: Command, argv: Readonly<Record<string, unknown>>): Arguments {
  const options: Record<string, OptionValue | undefined> = {};
  for (const { name, many, words } of command.options) {
    const value = argv[name] as OptionValue | undefined;
    // Given twice: the last one counts, as in most programs.
    options[name] = Array.isArray(value) && !many && !words ? (value.at(-1) as OptionValue) : value;
  }
  const given = command.words ? argv[command.words.name] : [];
  const words = [given, argv['--']].flatMap((part) => (Array.isArray(part) ? part.map(String) : []));
  const [first] = words;
  if (!command.words && first !== undefined)
    throw new LmappError('usage', `lmapp ${command.name} takes no words: ${first}`, { exitCode: EXIT.usage });
  return { options, words };
}

function refuseWrongValues(command: Command, { options }: Arguments): void {
  for (const { name, type, minimum, takes, choices } of command.options) {
    const value = options[name];
    if (choices && typeof value === 'string' && !choices.includes(value))
      throw usageError(`--${name} is ${value}; allowed is ${choices.join(', ')}`);
    if (type === 'string' && value === '') throw usageError(`--${name} needs a value: ${takes ?? ''}`);
    if (type !== 'number' || value === undefined) continue;
    if (typeof value !== 'number' || Number.isNaN(value)) throw usageError(`--${name} needs a number`);
    if (minimum !== undefined && value < minimum)
      throw usageError(`--${name} is ${value}; allowed is ${minimum} or more`);
  }
}

/** The messages of yargs, with the nearest name that is known. */
function usageError(message: string): LmappError {
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/.exec(message)?.[1]?.split(', ')[0];
  if (unknown === undefined) {
    const text = message.startsWith('Not enough arguments following: ')
      ? `--${message.slice('Not enough arguments following: '.length)} needs a value`
      : message.replace(/\s+/g, ' ').trim();
    return new LmappError('usage', text, { hint: helpHint(), exitCode: EXIT.usage });
  }
  const isOption = process.argv.some(
    (word) => word === `--${unknown}` || word.startsWith(`--${unknown}=`) || word === `-${unknown}`,
  );
  const names = isOption
    ? [
        ...new Set(ALL_COMMANDS.flatMap((command) => command.options.map(({ name }) => name))),
        'help',
        'version',
      ]
    : namesAfter(process.argv);
  if (isOption && names.includes(unknown)) {
    const command = commandNamedIn(process.argv);
    return new LmappError('usage', `--${unknown} is not an option of ${command}`, {
      hint: `${command} --help tells those that it has.`,
      exitCode: EXIT.usage,
    });
  }
  const isLetter = isOption && unknown.length === 1;
  const nearest = isLetter ? undefined : nearestNames(unknown, names, 1)[0];
  const dashes = isLetter ? '-' : isOption ? '--' : '';
  const what = isOption ? 'option' : 'command';
  return new LmappError('usage', `${dashes}${unknown} is not a known ${what}`, {
    hint: nearest === undefined ? helpHint() : `Did you mean ${dashes}${nearest}?`,
    exitCode: EXIT.usage,
  });
}

/** The help of the command that was named: that of lmapp does not have its options. */
function helpHint(): string {
  return `${commandNamedIn(process.argv)} --help tells all.`;
}

/** The commands that could have stood where an unknown one does: those of a command that was named before it, else all. */
function namesAfter(argv: readonly string[]): readonly string[] {
  const command = COMMANDS.find(({ name, commands }) => commands !== undefined && argv.includes(name));
  return (command?.commands ?? COMMANDS).map(({ name }) => name);
}

/** `lmapp engine install`: the command and its own command, as far as they were named. */
function commandNamedIn(argv: readonly string[]): string {
  const words = argv.slice(2);
  const at = words.findIndex((word) => COMMANDS.some(({ name }) => name === word));
  const own = COMMANDS.find(({ name }) => name === words[at])?.commands?.find(
    ({ name }) => name === words[at + 1],
  );
  return ['lmapp', words[at], own?.name].filter((word) => word !== undefined).join(' ');
}
