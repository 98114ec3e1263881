/** A program in the place of npm that "fetches" the stand-in of the engine. */
import fs from 'node:fs';
import path from 'node:path';

export interface FakeNpm {
  /** The program. */
  readonly file: string;
  /** The arguments of each of its runs. */
  runs(): readonly (readonly string[])[];
  /** Process ids of its runs. */
  pids(): readonly number[];
}

export interface FakeNpmOptions {
  /** It waits, with half of its packages there, until this file is there. */
  readonly gate?: string;
  /** It ends well and has brought nothing. */
  readonly empty?: boolean;
  /** Its last words, with which it fails: `npm error code ENOTFOUND`. */
  readonly fails?: string;
}

export function fakeNpm(folder: string, { gate, empty = false, fails }: FakeNpmOptions = {}): FakeNpm {
  const file = path.join(folder, 'npm');
  const log = path.join(folder, 'npm-runs.ndjson');
  const source = path.resolve('test/fixtures/fake-engine/index.js');
  fs.mkdirSync(folder, { recursive: true });
  const program = `#!${process.execPath}
const fs = require('node:fs'), path = require('node:path');
const args = process.argv.slice(2);
fs.appendFileSync(${JSON.stringify(log)}, JSON.stringify({ pid: process.pid, args }) + '\\n');
const place = path.join(args[args.indexOf('--prefix') + 1], 'node_modules', 'node-llama-cpp');
const told = (name) => process.stderr.write('npm http fetch GET 200 https://registry.example/' + name + '/-/' + name + '-1.0.0.tgz 9ms\\n');
fs.mkdirSync(path.join(place, 'dist'), { recursive: true });
fs.writeFileSync(path.join(place, 'package.json'), '{"type":"module"}');
told('one');
const end = () => {
  if (!${empty}) fs.copyFileSync(${JSON.stringify(source)}, path.join(place, 'dist', 'index.js'));
  told('two');
  const words = ${JSON.stringify(fails ?? null)};
  if (words === null) return;
  process.stderr.write(words + '\\n');
  process.exitCode = 1;
};
const gate = ${JSON.stringify(gate ?? null)};
const look = () => (gate === null || fs.existsSync(gate) ? end() : setTimeout(look, 5));
look();
`;
  fs.writeFileSync(file, program, { mode: 0o755 });
  const lines = (): readonly { readonly pid: number; readonly args: readonly string[] }[] =>
    fs.existsSync(log)
      ? fs
          .readFileSync(log, 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { pid: number; args: string[] })
      : [];
  return {
    file,
    runs: () => lines().map(({ args }) => args),
    pids: () => lines().map(({ pid }) => pid),
  };
}
