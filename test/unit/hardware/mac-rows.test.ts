import { describe, expect, it } from '@jest/globals';
import {
  parseMacMemoryState,
  parseNetstat,
  parsePmset,
  parseProcessFigures,
  parseProcessList,
  parseVmStat,
} from '../../../src/hardware/mac-rows.js';
import { openPortableProcesses } from '../../../src/hardware/portable-processes.js';
import { NETSTAT, SWAP, VM_STAT } from './mac-fixtures.js';

describe('vm_stat', () => {
  it('counts as used what Activity Monitor does, by the size of the pages', () => {
    expect(parseVmStat(VM_STAT)).toBe((500_000 - 5000 + 200_000 + 250_000) * 16_384);
    expect(parseVmStat(VM_STAT.replace('16384', '4096'))).toBe(945_000 * 4096);
  });

  it.each([
    ['nothing', ''],
    ['no page size', VM_STAT.replace(/\(page.*/, '')],
    ['no anonymous pages (before 10.9)', VM_STAT.replace(/^Anonymous.*\n/m, '')],
    ['a word for a number', VM_STAT.replace('500000.', 'N/A')],
    ['the columns of its loop', ' free   active   specul\n 12345   400000     2000\n'],
  ])('%s tells nothing', (_, text) => expect(parseVmStat(text)).toBeNull());
});

describe('the memory state of macOS', () => {
  it.each([
    ['1', 'normal'],
    ['2', 'warning'],
    ['4', 'critical'],
    ['3', null],
    ['', null],
  ])('level %p is %p', (level, name) => {
    expect(parseMacMemoryState(`${level}\n${SWAP}`)).toEqual({
      level: name,
      swapUsedBytes: 1843.25 * 1024 ** 2,
      swapTotalBytes: 3072 * 1024 ** 2,
    });
  });

  it('does not know what is missing, and 0 is 0 when it is told', () => {
    expect(parseMacMemoryState('')).toEqual({ level: null, swapUsedBytes: null, swapTotalBytes: null });
    expect(parseMacMemoryState('4\n').swapUsedBytes).toBeNull();
    expect(parseMacMemoryState('total = 0.00M  used = 0.00M  free = 0.00M').swapUsedBytes).toBe(0);
  });
});

describe('pmset', () => {
  const battery = (status: string, source = 'Battery Power') =>
    parsePmset(`Now drawing from '${source}'\n -InternalBattery-0 (id=6094947)\t${status} present: true\n`);

  it.each([
    ['86%; discharging; 4:29 remaining', 0.86, false],
    ['92%; charging; 0:44 remaining', 0.92, true],
    ['97%; charged; 0:00 remaining', 0.97, false],
    ['99%; finishing charge; 0:10 remaining', 0.99, true],
    ['80%; AC attached; not charging', 0.8, false],
    ['97%; (no estimate)', 0.97, null],
    ['0%; discharging; 0:00 remaining', 0, false],
  ])('%s', (status, charge, charging) => {
    expect(battery(status)).toEqual({ charge, charging, powerW: null, mains: false });
  });

  it('knows the mains, and that there is no battery', () => {
    expect(battery('92%; charging; 0:44 remaining', 'AC Power')?.mains).toBe(true);
    expect(parsePmset("Now drawing from 'AC Power'\n")).toBeNull();
    expect(parsePmset('')).toBeNull();
    expect(battery('discharging')?.charge).toBeNull();
  });
});

describe('netstat', () => {
  it('counts the links of real interfaces once each', () => {
    expect(parseNetstat(NETSTAT)).toEqual({ received: 1_000_002_000, sent: 50_001_000 });
  });

  it('finds its columns where there is one more', () => {
    const more = NETSTAT.replace('Coll\n', 'Coll Drop\n')
      .replace(/^(en0 .*<Link.*)$/m, '$1   7')
      .replace(/^en5.*\n/m, '');
    expect(parseNetstat(more)).toEqual({ received: 1_000_000_000, sent: 50_000_000 });
  });

  it.each(['', 'Name Mtu\nen0 1500 <Link#4>\n', NETSTAT.replace(/^en.*\n/gm, '')])(
    '%# tells nothing',
    (text) => expect(parseNetstat(text)).toBeNull(),
  );
});

describe('processes by ps', () => {
  it('reads lists and figures', () => {
    expect(parseProcessList('  312     1 /usr/libexec/x -a b\n junk\n   1 0 /sbin/launchd\n')).toEqual([
      { pid: 312, parent: 1, command: '/usr/libexec/x -a b' },
      { pid: 1, parent: 0, command: '/sbin/launchd' },
    ]);
    const figures = parseProcessFigures('  312  2048   1:02.50\n  7 10 1:00:00\n 8 x 0:00.01\n 9 5 -\n');
    expect([...figures]).toEqual([
      [312, { residentBytes: 2048 * 1024, cpuSeconds: 62.5 }],
      [7, { residentBytes: 10 * 1024, cpuSeconds: 3600 }],
    ]);
  });

  it('finds servers inside of applications, and tells no parts of memory that ps does not know', async () => {
    const list = [
      '10 1 /Applications/Ollama.app/Contents/Resources/ollama serve',
      '11 10 /Applications/Ollama.app/Contents/Resources/ollama runner --model /x/blobs/sha256-aa --port 1',
      '12 1 /Applications/LM Studio.app/Contents/MacOS/LM Studio',
      '13 12 /Applications/LM Studio.app/Contents/Frameworks/LM Studio Helper.app/Contents/MacOS/LM Studio Helper --type=gpu',
      '14 1 /opt/homebrew/bin/llama-server -m /m/a.gguf',
      '15 1 /usr/sbin/syslogd',
      '20 1 node /usr/local/bin/lmapp tui',
      '21 20 node /usr/local/lib/node_modules/lmapp/dist/engine-child.mjs',
    ].join('\n');
    const figures = [10, 11, 12, 14, 20, 21].map((pid) => `${pid} 1000 0:01.00`).join('\n');
    const asked: string[] = [];
    const processes = openPortableProcesses(async (_, args) => {
      asked.push(args.join(' '));
      return args[0] === '-axo' ? list : figures;
    }, 20);
    expect(await processes.sample()).toBeNull();
    await processes.find();
    const told = await processes.sample();
    expect(told?.map(({ pid, name, model }) => [pid, name, model])).toEqual([
      [10, 'ollama', null],
      [11, 'ollama runner', 'sha256-aa'],
      [12, 'LM Studio', null],
      [14, 'llama-server', 'a'],
      [20, 'lmapp', null],
      [21, 'lmapp engine', null],
    ]);
    expect(told?.[0]).toMatchObject({
      cpu: null,
      memoryBytes: null,
      mappedBytes: null,
      residentBytes: 1_024_000,
    });
    expect(asked.at(-1)).toBe('-o pid=,rss=,time= -p 10,11,12,14,20,21');
    expect((await processes.sample())?.[0]?.cpu).toBe(0);
  });
});
