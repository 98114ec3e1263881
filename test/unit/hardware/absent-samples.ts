import { batteryOf } from '../../../src/hardware/battery.js';
import { amdCard } from '../../../src/hardware/amd-card.js';
import { parseIoreg, parseMemoryLimit } from '../../../src/hardware/apple-rows.js';
import { coresAllowed, groupEvents, memoryLimit } from '../../../src/hardware/cgroup.js';
import { cpuShares, iowaitShare, readCpu, readWaiting } from '../../../src/hardware/cpu.js';
import { engineShare, parseFdinfo } from '../../../src/hardware/intel-clients.js';
import {
  parseMacMemoryState,
  parseNetstat,
  parsePmset,
  parseProcessFigures,
  parseVmStat,
} from '../../../src/hardware/mac-rows.js';
import { readMemory } from '../../../src/hardware/memory.js';
import { netRates, readNet } from '../../../src/hardware/network.js';
import {
  COMMON_FIELDS,
  FULL_FIELDS,
  MINIMAL_FIELDS,
  parseGpuRow,
  parseProcessRow,
} from '../../../src/hardware/nvidia-rows.js';
import { readPressure } from '../../../src/hardware/pressure.js';
import type { ProcFiles } from '../../../src/hardware/proc-files.js';
import { parseProcessMemory, parseProcessStat } from '../../../src/hardware/process-files.js';
import { parseMillidegrees } from '../../../src/hardware/temperatures.js';
import {
  AMD_CARD,
  MEMINFO,
  NET,
  NET_BEFORE,
  STAT,
  STAT_BEFORE,
  text,
  type ParserSample,
} from './absent-sample.js';

const proc = (files: Readonly<Record<string, string>>): ProcFiles => ({
  read: (file) => files[file] ?? null,
  reads: 0,
});
const GROUP = 'sys/fs/cgroup/box';
const SOME_AND_FULL =
  'some avg10=2.50 avg60=1.00 avg300=1.00 total=5\nfull avg10=1.25 avg60=1.00 avg300=1.00 total=5\n';

const GPU_FIGURES = '41, 1024, 24564, 50, 100.5';
const nvidia = (fields: string, row: string): ParserSample =>
  text(`nvidia-smi, ${fields.split(',').length} fields`, row, (line) =>
    parseGpuRow(line, fields.split(',').length),
  );

const FDINFO = {
  i915: (ns: number) =>
    `drm-driver:\ti915\ndrm-client-id:\t7\ndrm-pdev:\t0000:03:00.0\ndrm-engine-render:\t${ns} ns\ndrm-engine-compute:\t${4 * ns} ns\ndrm-resident-local0:\t2048 KiB\n`,
  xe: (own: number) =>
    `drm-driver:\txe\ndrm-client-id:\t9\ndrm-pdev:\t0000:03:00.0\ndrm-cycles-ccs:\t${own}\ndrm-total-cycles-ccs:\t${10 * own}\ndrm-total-vram0:\t512 MiB\n`,
};
function intel(name: string, before: string, now: string): ParserSample {
  return text(`fdinfo of ${name}`, now, (changed) => {
    const [was, is] = [parseFdinfo(before, 5), parseFdinfo(changed, 5)];
    return was && is ? { share: engineShare([was], [is], 1e9), memoryBytes: is.memoryBytes } : null;
  });
}

const VM_STAT = `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages purgeable:                  1000.
Anonymous pages:                400000.
Pages wired down:               150000.
Pages occupied by compressor:    90000.
`;
const PMSET = `Now drawing from 'Battery Power'
 -InternalBattery-0 (id=4653155)\t81%; discharging; 4:29 remaining present: true
`;
const netstat = (received: number, sent: number): string =>
  `Name  Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll
en0   1500  <Link#14>   a1:b2:c3:d4:e5:f6  500     1     ${received}   400     1     ${sent}     1
`;

/** Parsers of texts. */
export const TEXTS: readonly ParserSample[] = [
  text(
    '/proc/stat',
    STAT,
    (now) => ({
      ...cpuShares(readCpu(STAT_BEFORE), readCpu(now)),
      ioWait: iowaitShare(readWaiting(STAT_BEFORE), readWaiting(now)),
    }),
    true,
  ),
  text('/proc/meminfo', MEMINFO, (meminfo) => readMemory(proc({ 'proc/meminfo': meminfo }))),
  text('/proc/meminfo of a kernel before 3.14', MEMINFO.replace(/MemAvailable.*\n/, ''), (meminfo) =>
    readMemory(proc({ 'proc/meminfo': meminfo })),
  ),
  {
    of: 'the cache of ZFS',
    files: {
      'proc/meminfo': MEMINFO,
      'proc/spl/kstat/zfs/arcstats': 'size 4 7000000000\nc_min 4 6000000000\n',
    },
    columns: true,
    read: (files) => readMemory(proc(files)),
  },
  {
    of: 'the limits of cgroup v2',
    files: {
      'proc/self/cgroup': '0::/box\n',
      [`${GROUP}/memory.max`]: '8000000000\n',
      [`${GROUP}/memory.current`]: '5000000000\n',
      [`${GROUP}/memory.stat`]: 'anon 3000000000\ninactive_file 1000000000\n',
      [`${GROUP}/memory.events`]: 'low 1\nhigh 2\nmax 3\noom 4\noom_kill 5\n',
      [`${GROUP}/cpu.max`]: '200000 100000\n',
    },
    read: (files) => {
      const limit = memoryLimit(proc(files), 16e9);
      const memory = readMemory(proc({ 'proc/meminfo': MEMINFO.replace(/Swap.*\n/g, ''), ...files }));
      return {
        usedBytes: memory.memoryUsedBytes,
        events: limit && groupEvents(proc(files), limit),
        cores: coresAllowed(proc(files)),
      };
    },
  },
  {
    of: 'the limits of cgroup v1',
    files: {
      'proc/self/cgroup': '4:memory:/\n5:cpu,cpuacct:/\n',
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '8000000000\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '5000000000\n',
      'sys/fs/cgroup/memory/memory.stat': 'total_inactive_file 1000000000\n',
      'sys/fs/cgroup/memory/memory.failcnt': '7\n',
      'sys/fs/cgroup/memory/memory.oom_control': 'oom_kill_disable 1\nunder_oom 1\noom_kill 3\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '150000\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    read: (files) => {
      const limit = memoryLimit(proc(files), 16e9);
      const memory = readMemory(proc({ 'proc/meminfo': MEMINFO.replace(/Swap.*\n/g, ''), ...files }));
      return {
        usedBytes: memory.memoryUsedBytes,
        events: limit && groupEvents(proc(files), limit),
        cores: coresAllowed(proc(files)),
      };
    },
  },
  {
    of: 'pressure',
    files: {
      'proc/pressure/cpu': 'some avg10=1.50 avg60=1.00 avg300=1.00 total=5\n',
      'proc/pressure/memory': SOME_AND_FULL,
      'proc/pressure/io': 'some avg10=3.50 avg60=1.00 avg300=1.00 total=5\n',
    },
    read: (files) => readPressure(proc(files), null),
  },
  {
    of: 'the pressure of a cgroup',
    files: { [`${GROUP}/memory.pressure`]: SOME_AND_FULL },
    read: (files) => readPressure(proc(files), GROUP),
  },
  text('/proc/net/dev', NET, (now) => netRates(readNet(NET_BEFORE), readNet(now), 1), true),
  text('a temperature', '54250\n', parseMillidegrees),
  {
    of: 'a battery by its energy',
    files: { type: 'Battery', capacity: '55', status: 'Discharging', power_now: '9000000' },
    read: (files) => batteryOf([files]),
  },
  {
    of: 'two batteries by their charge',
    files: {
      type: 'Battery',
      charge_now: '2000',
      charge_full: '4000',
      current_now: '900000',
      voltage_now: '11000000',
    },
    read: (files) =>
      batteryOf([files, { type: 'Battery', energy_now: '1', charge_now: '1000', charge_full: '4000' }]),
  },
  text(
    '/proc/PID/stat',
    `4242 (llama server) S 1 4242 4242 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 8 0 987654 1 1\n`,
    (stat) => {
      const { ticks } = parseProcessStat(stat) ?? { ticks: null };
      return { ticks };
    },
    true,
  ),
  text(
    '/proc/PID/status',
    'RssAnon:\t  100 kB\nRssFile:\t  300 kB\nRssShmem:\t  20 kB\n',
    parseProcessMemory,
  ),
  nvidia(FULL_FIELDS, `1, GPU-a, RTX, ${GPU_FIGURES}, 450, 30, 2500, 66, Disabled, 8000, 0x4`),
  nvidia(COMMON_FIELDS, `1, GPU-a, RTX, ${GPU_FIGURES}, 450, 30`),
  nvidia(MINIMAL_FIELDS, `1, GPU-a, RTX, ${GPU_FIGURES}`),
  text('nvidia-smi, a program', '4123, GPU-a, 5120, /usr/bin/ollama', parseProcessRow),
  {
    of: 'an AMD card',
    files: AMD_CARD,
    read: (files) => ({ ...amdCard(new Map(Object.entries(files)), 'x', 1) }),
  },
  {
    of: 'an AMD card that borrows',
    files: {
      gpu_busy_percent: '37',
      mem_info_vram_total: '536870912',
      mem_info_vram_used: '400000000',
      mem_info_gtt_total: '133143986176',
      mem_info_gtt_used: '60000000000',
    },
    read: (files) => ({ ...amdCard(new Map(Object.entries(files)), 'x', 1) }),
  },
  intel('i915', FDINFO.i915(1e8), FDINFO.i915(2e8)),
  intel('xe', FDINFO.xe(100), FDINFO.xe(400)),
  text(
    'ioreg',
    '    "model" = "Apple M2"\n    "PerformanceStatistics" = {"Device Utilization %"=34,"In use system memory"=7688503296}\n',
    parseIoreg,
  ),
  text('vm_stat', VM_STAT, (told) => ({ used: parseVmStat(told) })),
  text(
    'sysctl of swap',
    '1\ntotal = 2048.00M  used = 1024.25M  free = 1023.75M  (encrypted)\n',
    parseMacMemoryState,
  ),
  text('pmset', PMSET, parsePmset),
  text(
    'netstat',
    netstat(9000, 2500),
    (now) => netRates(parseNetstat(netstat(1000, 500)), parseNetstat(now), 1),
    true,
  ),
  text('ps', '  412 204800  12:34.56\n', (told) => [...parseProcessFigures(told).values()], true),
  text('sysctl', 'hw.memsize: 34359738368\n', (told) => ({ memory: parseMemoryLimit(told) })),
];
