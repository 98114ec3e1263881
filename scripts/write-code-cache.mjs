// node scripts/write-code-cache.mjs DIST: runs the built dashboard on a screen that nobody sees until it has shown a typed key, and keeps what
// V8 has compiled of its packed chunks by then (src/preload.ts).
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import vm from 'node:vm';

const KEY = '`';
/** A terminal's answer to ESC[5n, which a second frame waits for. */
const ANSWER = '\x1b[0n';
const dist = path.resolve(process.argv[2]);
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'lmapp-build-'));
process.on('exit', () => fs.rmSync(home, { recursive: true, force: true }));

// What waits until after the first frame never comes: no server is asked, and no flag of V8 is set (src/tui/heap.ts), under which other
// processes would refuse the code.
const { setTimeout: soon } = globalThis;
globalThis.setTimeout = (run, delayMs, ...values) =>
  soon(run, delayMs > 1 ? 2 ** 31 - 1 : delayMs, ...values);

let packed = null;
vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    packed = { file: options.filename, script: this };
  }
};

const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
const stdout = new Writable({
  write(chunk, _encoding, done) {
    look(String(chunk));
    done();
  },
});
Object.assign(stdout, { isTTY: true, columns: 120, rows: 40 });
Object.defineProperty(process, 'stdin', { value: stdin });
Object.defineProperty(process, 'stdout', { value: stdout });
Object.assign(process.env, { HOME: home, TERM: 'xterm-256color', COLORTERM: 'truecolor', LANG: 'C.UTF-8' });
process.argv.splice(1, 2, path.join(dist, 'main.js'), 'tui', '--no-discovery', '--no-gpu');

let shown = '';
let typed = false;
function look(text) {
  shown += text;
  if (text.includes('\x1b[5n')) soon(() => stdin.write(ANSWER));
  if (!typed && shown.includes('Message')) {
    typed = true;
    soon(() => stdin.write(KEY));
  } else if (typed && shown.includes(KEY)) keep();
}

function keep() {
  const { version, platform, arch } = process;
  const file = `${packed.file.replace(/\.js$/, '')}-${version}-${platform}-${arch}.cache`;
  const written = `${file}.${process.pid}.new`;
  fs.writeFileSync(written, packed.script.createCachedData());
  fs.renameSync(written, file);
  process.exit(0);
}

soon(() => {
  console.error('no frame came');
  process.exit(1);
}, 10_000);
createRequire(import.meta.url)(path.join(dist, 'main.js'));
