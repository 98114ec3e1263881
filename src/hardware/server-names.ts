/** What a process is called, from the kernel (at most 15 characters) and from its command line. */
export interface CommandLine {
  readonly comm: string;
  readonly args: readonly string[];
}

/** Interpreters: the program is their first argument that is no option, or the module behind `-m`. */
const INTERPRETER = /^(?:python[\d.]*|node|nodejs|bun|uv|ape|\.ape-[\d.]+)$/;

/** Programs that serve models, by the last part of their path. */
const SERVERS: readonly (readonly [RegExp, string])[] = [
  [/^(?:llama-server|llama-box|server-cuda)$/, 'llama-server'],
  [/(?:^llamafiler?$|\.llamafile$)/, 'llamafile'],
  [/^(?:vllm(?:\..*)?|VLLM::.*)$/, 'vllm'],
  [/^local-?ai$/i, 'local-ai'],
  [/^(?:lms|llmster|lm-studio|LM Studio)(?:\.exe)?$/i, 'LM Studio'],
  [/^gpt4all(?:-.*)?$/i, 'gpt4all'],
  [/^litellm(?:\..*)?$/, 'litellm'],
  [/^(?:cortex|cortex-server)$/, 'jan'],
  [/^jan$/i, 'jan'],
  [/^llama-swap$/, 'llama-swap'],
  [/^koboldcpp(?:\.py)?$/, 'koboldcpp'],
  [/^sglang(?:\..*|::.*)?$/, 'sglang'],
  [/^text-generation-(?:server|router|launcher)$/, 'text-generation'],
  [/^(?:mlx_lm\.server|mlx_lm)$/, 'mlx_lm'],
];

/** Options of these programs that name the model; the first that is given tells, the most speaking first. */
const MODEL_OPTIONS: readonly (readonly string[])[] = [
  ['--alias', '-a'],
  ['--served-model-name'],
  ['-hf', '-hfr', '--hf-repo'],
  ['--model', '-m', '--model-path'],
];
const LONGEST_NAME = 120;

/** The name under which a process is shown; null: it is no model server. */
export function serverName({ comm, args }: CommandLine): string | null {
  const programs = programsOf(comm, args);
  // `ollama run` and the like are clients; its server and the runners that it starts are what counts.
  if (programs.includes('ollama')) {
    const verb = args[1];
    return verb === 'serve' || verb === 'start' ? 'ollama' : verb === 'runner' ? 'ollama runner' : null;
  }
  for (const [pattern, name] of SERVERS) if (programs.some((program) => pattern.test(program))) return name;
  // LM Studio runs its engines in a Node of its own.
  if (programs.includes('node') && args.some((arg) => /[\\/]\.?lm-?studio[\\/]/i.test(arg)))
    return 'LM Studio';
  if (programs.includes('chat') && /gpt4all/i.test(args[0] ?? '')) return 'gpt4all';
  return null;
}

/** The child of this program that runs a model itself. */
export function isEngine({ args }: CommandLine): boolean {
  return args.slice(0, 8).some((arg) => /(?:^|[\\/])engine(?:-child)?(?:[\\/]child)?\.[cm]?[jt]s$/.test(arg));
}

/** The model that a command line names; null when it names none. */
export function modelInArguments(args: readonly string[]): string | null {
  for (const options of MODEL_OPTIONS) {
    for (const [at, arg] of args.entries()) {
      const [option = '', inline] = arg.split('=', 2);
      const value = options.includes(option) ? (inline ?? args[at + 1]) : undefined;
      if (value !== undefined && value !== '' && !value.startsWith('-')) return shortName(value);
    }
  }
  // `vllm serve MODEL`
  const serve = args.indexOf('serve');
  const served = serve >= 0 ? args[serve + 1] : undefined;
  if (served !== undefined && served !== '' && !served.startsWith('-')) return shortName(served);
  const file = args.find((arg) => arg.endsWith('.llamafile'));
  return file === undefined ? null : shortName(file);
}

function programsOf(comm: string, args: readonly string[]): readonly string[] {
  const first = lastPart(args[0] ?? '');
  const programs = [comm, first];
  if (!INTERPRETER.test(first) && !INTERPRETER.test(comm)) return programs;
  const module = args.indexOf('-m');
  const script = args.slice(1).find((arg) => !arg.startsWith('-'));
  if (module === 1 || (module === 2 && args[1]?.startsWith('-'))) programs.push(args[module + 1] ?? '');
  else if (script !== undefined) programs.push(lastPart(script));
  return programs;
}

/** A path by its last part; a name of the Hugging Face hub (`org/model`) as it is. */
function shortName(value: string): string {
  const isPath = /^(?:[~./\\]|[A-Za-z]:[\\/])/.test(value) || /\.(?:gguf|llamafile)$/i.test(value);
  const name = isPath ? lastPart(value).replace(/\.(?:gguf|llamafile)$/i, '') : value;
  return name.slice(0, LONGEST_NAME);
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? '';
}
