import fs from 'node:fs';
import path from 'node:path';
import { formatBytes } from '../../widgets/text/format.js';
import { sanitizeLine } from '../../widgets/text/sanitize.js';
import { SMALLEST } from '../domain/smallest-screen.js';
import { existingFolder } from '../files.js';
import { colourDepth, multiplexer, wantsAscii } from '../terminal/capabilities.js';
import { keyProblems } from './keys-of-settings.js';
import { checkCards } from './doctor-gpu.js';
import { checkServersOf } from './doctor-servers.js';
import { bad, type DoctorCheck, type DoctorContext, type Finding, ok, warn } from './finding.js';

/** Every check, in the order of the report. A new one is a function and a line here. */
export const DOCTOR_CHECKS: readonly DoctorCheck[] = [
  { name: 'program', run: checkProgram },
  { name: 'terminal', run: checkTerminal },
  { name: 'configuration', run: checkConfiguration },
  { name: 'folders', run: checkFolders },
  { name: 'servers', run: checkServersOf },
  { name: 'gpu', run: ({ context }) => checkCards(context.ports, context.files.chats) },
  { name: 'clock', run: checkClock },
];

const OLDEST_NODE = [20, 19] as const;
const LITTLE_DISK_BYTES = 1e9;
const NO_DISK_BYTES = 50e6;
const DISK_WAIT_MS = 2000;
const DAY_MS = 24 * 3600_000;

function checkProgram({ context }: DoctorContext): readonly Finding[] {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  const text = `lmapp ${context.version} on Node ${node}`;
  return [
    isOld ? bad(text, `It needs Node ${OLDEST_NODE.join('.')} or later: https://nodejs.org`) : ok(text),
  ];
}

function checkTerminal({ context }: DoctorContext): readonly Finding[] {
  const { stdin, stdout, ports } = context;
  const { env } = ports;
  const term = env['TERM'] ?? '';
  if (!stdout.isTTY || !stdin.isTTY)
    return [
      warn(
        `${stdout.isTTY ? 'the input' : 'the output'} is no terminal, so it was not looked at`,
        'Run lmapp doctor in the terminal of the dashboard.',
      ),
    ];
  if (term === '' || term === 'dumb')
    return [bad(`TERM is "${term}"`, 'Use a terminal that can move its cursor: export TERM=xterm-256color')];
  const { columns, rows } = stdout;
  const depth = colourDepth(env);
  const within = multiplexer(env);
  const colours =
    depth === 'none' ? 'no colours' : depth === 'truecolor' ? 'all colours' : `${depth} colours`;
  const name = sanitizeLine(term) + (within === null ? '' : ` in ${within}`);
  const found = [ok(`${name}, ${colours}, ${columns}x${rows}`)];
  if (columns < SMALLEST.width || rows < SMALLEST.height)
    found.push(
      warn(
        `${columns}x${rows} is too small for the dashboard`,
        `Make it ${SMALLEST.width}x${SMALLEST.height} or larger.`,
      ),
    );
  if (wantsAscii(env))
    found.push(warn('the locale is not UTF-8, so borders are drawn in ASCII', 'export LANG=C.UTF-8'));
  if (depth === '16')
    found.push(warn('only 16 colours', 'When the terminal has more: export COLORTERM=truecolor'));
  return found;
}

function checkConfiguration({ context, loaded }: DoctorContext): readonly Finding[] {
  const { files } = context;
  const { settings } = loaded;
  const found = loaded.problems.map((problem) =>
    loaded.broken
      ? bad(problem, `Correct it; what is allowed stands in docs/configuration.md. File: ${files.config}`)
      : warn(problem, 'Correct it, or take it out: lmapp config --unset KEY'),
  );
  found.push(
    ...keyProblems(settings).map((problem) =>
      warn(problem, 'docs/keys.md lists all; take it out: lmapp config --unset keys.COMMAND'),
    ),
  );
  const there = fs.existsSync(files.config);
  if (found.length === 0)
    found.push(ok(there ? files.config : `no file yet: all defaults (${files.config})`));
  const stored = settings.backends.filter(
    ({ key }) => key !== undefined && key !== '' && !key.startsWith('${'),
  );
  if (stored.length > 0)
    found.push(
      warn(
        `${stored.length === 1 ? 'a key stands' : `${stored.length} keys stand`} in the file itself`,
        'Better is the name of a variable: lmapp backends add ADDRESS --key-env NAME',
      ),
    );
  if (stored.length > 0 && there && (modeOf(files.config) & 0o077) !== 0)
    found.push(bad('others can read the file with the keys', `chmod 600 ${files.config}`));
  return found;
}

async function checkFolders({ context }: DoctorContext): Promise<readonly Finding[]> {
  const { files } = context;
  const folders = new Map([
    ['configuration', path.dirname(files.config)],
    ['chats', files.chats],
    ['log', path.dirname(files.log)],
    ['cache', path.dirname(files.models)],
  ]);
  const found: Finding[] = [];
  for (const [what, folder] of folders) {
    const place = existingFolder(folder);
    const problem = problemOf(place);
    if (problem !== null)
      found.push(bad(`${what}: ${place} ${problem}`, 'Make it a folder of yours that you may write.'));
    else if (what === 'chats' && place === folder && (modeOf(folder) & 0o007) !== 0)
      found.push(warn(`others can read your chats in ${folder}`, `chmod 700 ${folder}`));
  }
  const place = existingFolder(files.chats);
  const free = await freeBytes(place);
  const text = `${formatBytes(free)} free at ${place}`;
  if (free !== null && free < NO_DISK_BYTES) found.push(bad(text, 'Make room: chats cannot be kept.'));
  else if (free !== null && free < LITTLE_DISK_BYTES) found.push(warn(text, 'Make room soon.'));
  else found.push(ok(found.length === 0 ? `all can be written, ${text}` : text));
  return found;
}

function checkClock({ context }: DoctorContext): readonly Finding[] {
  const now = context.ports.clock.now();
  const shown = `${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  // Nothing of this program and of its chats can come from the future.
  const newest = Math.max(
    modifiedAt(process.argv[1] ?? ''),
    modifiedAt(context.files.log),
    modifiedAt(context.files.chats),
  );
  if (now < newest - DAY_MS)
    return [
      bad(
        `${shown} is before the last use of lmapp`,
        'Set the clock: certificates, the order of chats and times left depend on it.',
      ),
    ];
  return [ok(`${shown}, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`)];
}

function problemOf(folder: string): string | null {
  try {
    if (!fs.statSync(folder).isDirectory()) return 'is no folder';
    fs.accessSync(folder, fs.constants.W_OK | fs.constants.X_OK);
    return null;
  } catch {
    return 'cannot be written';
  }
}

function modeOf(file: string): number {
  return statOf(file)?.mode ?? 0;
}

function modifiedAt(file: string): number {
  return statOf(file)?.mtimeMs ?? 0;
}

function statOf(file: string): fs.Stats | null {
  try {
    return fs.statSync(file);
  } catch {
    return null;
  }
}

/** Null when the disk does not answer: one on a network may hang. */
async function freeBytes(folder: string): Promise<number | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((done) => (timer = setTimeout(() => done(null), DISK_WAIT_MS)));
  const asked = fs.promises.statfs(folder).then(
    (stat) => stat.bavail * stat.bsize,
    () => null,
  );
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}
