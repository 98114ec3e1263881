import type { ServerProcess } from '../domain/hardware.js';
import { parseProcessFigures, parseProcessList, type ProcessFigures } from './mac-rows.js';
import { isEngine, modelInArguments, serverName, type CommandLine } from './server-names.js';

export interface PortableProcesses {
  /** Looks for model servers anew; costs a list of all processes. */
  find(): Promise<void>;
  /** Figures of those that were found. Null: processes cannot be seen. */
  sample(): Promise<readonly ServerProcess[] | null>;
}

interface Server {
  readonly pid: number;
  readonly name: string;
  readonly model: string | null;
}

const MOST_SERVERS = 24;

/** Model servers by their command lines, from `ps`; `own` is the process of the dashboard. */
export function openPortableProcesses(
  run: (file: string, args: readonly string[]) => Promise<string | null>,
  own: number,
): PortableProcesses {
  let servers: readonly Server[] | null = null;
  let before: { readonly at: number; readonly figures: ReadonlyMap<number, ProcessFigures> } | null = null;
  return {
    async find() {
      const listed = await run('ps', ['-axo', 'pid=,ppid=,command=']);
      if (listed === null) return void (servers = null);
      servers = parseProcessList(listed)
        .flatMap(({ pid, parent, command }): Server[] => {
          const line = splitCommand(command);
          const engine = parent === own && isEngine(line);
          const name = pid === own ? 'lmapp' : engine ? 'lmapp engine' : serverName(line);
          return name === null
            ? []
            : [{ pid, name, model: pid === own ? null : modelInArguments(line.args) }];
        })
        .slice(0, MOST_SERVERS);
    },
    async sample() {
      if (!servers) return null;
      if (servers.length === 0) return [];
      const printed = await run('ps', [
        '-o',
        'pid=,rss=,time=',
        '-p',
        servers.map(({ pid }) => pid).join(','),
      ]);
      if (printed === null) return null;
      const figures = parseProcessFigures(printed);
      const at = performance.now();
      const seconds = before ? (at - before.at) / 1000 : 0;
      const told = servers.flatMap(({ pid, name, model }): ServerProcess[] => {
        const now = figures.get(pid);
        if (!now) return [];
        const was = before?.figures.get(pid);
        const used = was ? now.cpuSeconds - was.cpuSeconds : -1;
        const cpu = used >= 0 && seconds > 0 ? used / seconds : null;
        const memory = { memoryBytes: null, mappedBytes: null, residentBytes: now.residentBytes };
        return [{ pid, name, ports: [], model, cpu, ...memory }];
      });
      before = { at, figures };
      return told;
    },
  };
}

/** `ps` joins the arguments with blanks; a program inside of an application is known by the folder of that. */
function splitCommand(command: string): CommandLine {
  const inside = /^(\/.*?\.app\/Contents\/[^ ]*\/)([^/]+?)(?= -| serve\b| runner\b|$)/.exec(command);
  const program = inside?.[2];
  if (program === undefined) {
    const args = command.split(' ');
    return { comm: args[0]?.split('/').at(-1) ?? '', args };
  }
  const rest = command.slice((inside?.[0] ?? '').length).trim();
  return { comm: program, args: [program, ...rest.split(' ')].filter((arg) => arg !== '') };
}
