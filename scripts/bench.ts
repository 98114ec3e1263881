// npm run bench -- [--only NAME[,NAME…]] [--quick] [--json FILE]
// Measures the built program in real pseudo terminals and prints a table; method and results: docs/performance.md.
import fs from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { PROGRAM } from './bench/dashboard.js';
import { measureAnswer } from './bench/measure-answer.js';
import { measureBytes } from './bench/measure-bytes.js';
import { measureCpu } from './bench/measure-cpu.js';
import { measureEngine } from './bench/measure-engine.js';
import { measureKeys } from './bench/measure-keys.js';
import { measureMachine } from './bench/measure-machine.js';
import { measureLogs } from './bench/measure-logs.js';
import { measureMemory } from './bench/measure-memory.js';
import { measureServers } from './bench/measure-servers.js';
import { measureStart } from './bench/measure-start.js';
import { table, verdictOf, type Line } from './bench/report.js';

const GROUPS: Readonly<Record<string, (quick: boolean) => Promise<readonly Line[]>>> = {
  start: measureStart,
  cpu: measureCpu,
  answer: measureAnswer,
  bytes: measureBytes,
  keys: measureKeys,
  logs: measureLogs,
  memory: measureMemory,
  servers: measureServers,
  machine: measureMachine,
  engine: measureEngine,
};

const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false }, json: { type: 'string' } },
});
const wanted = values.only?.split(',') ?? Object.keys(GROUPS);
const unknown = wanted.filter((name) => !(name in GROUPS));
if (unknown.length > 0)
  fail(`unknown measurement ${unknown.join(', ')}; there are ${Object.keys(GROUPS).join(', ')}`);
if (!fs.existsSync(PROGRAM)) fail(`${PROGRAM} is not there; build it first: npm run build`);
if (process.platform !== 'linux') fail('CPU time and memory are read from /proc, which only Linux has');

const lines: Line[] = [];
for (const name of wanted) {
  process.stderr.write(`measuring ${name} …\n`);
  try {
    lines.push(...((await GROUPS[name]?.(values.quick || isBrief(name))) ?? []));
  } catch (error) {
    lines.push({
      name,
      reason: (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '',
    });
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  }
}

console.log(
  `Node ${process.versions.node}, ${os.cpus().length} x ${os.cpus()[0]?.model.trim() ?? 'CPU'}, Linux ${os.release().split('-')[0]}\n`,
);
console.log(table(lines));
if (values.json !== undefined) fs.writeFileSync(values.json, JSON.stringify(lines, null, 2) + '\n');
process.exit(lines.some((line) => verdictOf(line) === 'over' || verdictOf(line) === 'not measured') ? 1 : 0);

/** Ten minutes of log lines are for those who ask for them. */
function isBrief(name: string): boolean {
  return name === 'logs' && values.only === undefined;
}

function fail(message: string): never {
  console.error(`bench: ${message}`);
  process.exit(2);
}
