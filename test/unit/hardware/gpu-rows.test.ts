import { describe, expect, it } from '@jest/globals';
import type { GpuSample } from '../../../src/domain/hardware.js';
import { AMD_FILES, AMD_HWMON_FILES, amdCard, nameInIds } from '../../../src/hardware/amd-card.js';
import { parseAmdSmi, parseRocmSmi } from '../../../src/hardware/amd-programs.js';
import { parseIoreg, parseMacmon, parseMemoryLimit } from '../../../src/hardware/apple-rows.js';
import { engineShare, parseFdinfo } from '../../../src/hardware/intel-clients.js';
import { FULL_FIELDS, parseGpuRow, parseProcessRow } from '../../../src/hardware/nvidia-rows.js';
import { parseNvtop } from '../../../src/hardware/nvtop.js';

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const amd = (files: Readonly<Record<string, string>>): GpuSample =>
  amdCard(new Map(Object.entries(files)), '0000:03:00.0', 0);

describe('an AMD card in /sys', () => {
  const discrete = {
    gpu_busy_percent: '0',
    mem_info_vram_total: String(16 * GIB),
    mem_info_vram_used: String(3 * GIB),
    mem_info_gtt_total: String(62 * GIB),
    mem_info_gtt_used: String(GIB),
    mem_info_vram_vendor: 'samsung',
    'hwmon/temp1_input': '47000',
    'hwmon/temp1_label': 'edge',
    'hwmon/temp2_input': '58000',
    'hwmon/temp2_label': 'junction',
    'hwmon/temp3_input': '62000',
    'hwmon/temp3_label': 'mem',
    'hwmon/power1_average': '17000000',
    'hwmon/power1_cap': '289000000',
    'hwmon/pwm1': '0',
    'hwmon/freq1_input': '2450000000',
  };

  it('of its own memory does not count what it borrows', () => {
    expect(amd(discrete)).toEqual({
      id: 'amd-0000:03:00.0',
      index: 0,
      name: 'AMD GPU',
      utilization: 0,
      memoryUsedBytes: 3 * GIB,
      memoryTotalBytes: 16 * GIB,
      temperatureC: 47,
      powerW: 17,
      powerLimitW: 289,
      fan: 0,
      clockMHz: 2450,
      memoryTemperatureC: 62,
    });
  });

  it('that is a part of the processor has its models in what it borrows', () => {
    const apu = amd({
      gpu_busy_percent: '88',
      mem_info_vram_total: String(512 * MIB),
      mem_info_vram_used: String(300 * MIB),
      mem_info_gtt_total: String(124 * GIB),
      mem_info_gtt_used: String(61 * GIB),
      'hwmon/power1_input': '55000000',
    });
    expect(apu).toMatchObject({
      shared: true,
      memoryTotalBytes: 124 * GIB + 512 * MIB,
      memoryUsedBytes: 61 * GIB + 300 * MIB,
      powerW: 55,
      fan: null,
    });
  });

  it('has a name from the list of libdrm', () => {
    const ids =
      '# comment\n1.0.0\n1586,\tC1,\tAMD Radeon 8050S Graphics\n1586,\tD1,\tAMD Radeon 8060S Graphics\n';
    expect(nameInIds(ids, '1586', 'd1')).toBe('AMD Radeon 8060S Graphics');
    expect(nameInIds(ids, '1586', 'ff')).toBeNull();
    const files = new Map([
      ['device', '0x1586'],
      ['revision', '0xd1'],
    ]);
    expect(amdCard(files, 'x', 0, (device, revision) => nameInIds(ids, device, revision)).name).toBe(
      'AMD Radeon 8060S Graphics',
    );
  });
});

describe('the programs of AMD', () => {
  const metric = {
    gpu: 0,
    usage: { gfx_activity: { value: 99, unit: '%' }, umc_activity: { value: 35, unit: '%' } },
    power: { socket_power: { value: 241, unit: 'W' } },
    clock: { gfx_0: { clk: { value: 2290, unit: 'MHz' } } },
    temperature: { edge: 'N/A', hotspot: { value: 71, unit: 'C' }, mem: { value: 80, unit: 'C' } },
    fan: 'N/A',
    mem_usage: { total_vram: { value: 24560, unit: 'MB' }, used_vram: { value: 18012, unit: 'MB' } },
  };

  it.each([
    ['a list', JSON.stringify([metric])],
    ['an object with the list', JSON.stringify({ gpu_data: [metric] })],
    ['words before it', `'CTRL' + 'C' to stop watching output:\n${JSON.stringify([metric], null, 2)}`],
  ])('amd-smi is read as %s', (_, text) => {
    expect(parseAmdSmi(text)).toEqual([
      expect.objectContaining({
        id: 'amd-0',
        utilization: 0.99,
        memoryUsedBytes: 18012 * MIB,
        memoryTotalBytes: 24560 * MIB,
        temperatureC: 71,
        powerW: 241,
        fan: null,
        clockMHz: 2290,
        memoryTemperatureC: 80,
      }),
    ]);
  });

  it.each([
    [
      'five',
      {
        'Card series': 'Radeon RX 6800',
        'GPU use (%)': '7',
        'VRAM Total Memory (B)': '17163091968',
        'VRAM Total Used Memory (B)': '29442048',
        'Temperature (Sensor edge) (C)': '35.0',
        'Temperature (Sensor memory) (C)': '38.0',
        'Average Graphics Package Power (W)': '6.0',
      },
    ],
    [
      'seven',
      {
        'Card Series': 'Radeon RX 6800',
        'GPU use (%)': '7',
        'VRAM Total Memory (B)': '17163091968',
        'VRAM Total Used Memory (B)': '29442048',
        'Temperature (Sensor edge) (C)': '35.0',
        'Temperature (Sensor memory) (C)': '38.0',
        'Current Socket Graphics Package Power (W)': '6.0',
      },
    ],
  ])('rocm-smi of version %s is read', (_, card) => {
    expect(
      parseRocmSmi(
        `WARNING: AMD GPU device(s) is/are in a low-power state\n${JSON.stringify({ card1: card, system: {} })}`,
      ),
    ).toEqual([
      expect.objectContaining({
        id: 'amd-1',
        index: 1,
        name: 'Radeon RX 6800',
        utilization: 0.07,
        memoryTotalBytes: 17163091968,
        memoryUsedBytes: 29442048,
        temperatureC: 35,
        memoryTemperatureC: 38,
        powerW: 6,
      }),
    ]);
  });

  it('are not read where they print no JSON', () => {
    expect([
      parseAmdSmi(''),
      parseAmdSmi('{"error":1}'),
      parseRocmSmi('[]'),
      parseRocmSmi('{broken'),
    ]).toEqual([null, null, null, null]);
  });
});

describe('nvtop', () => {
  it('tells texts with units', () => {
    const text = JSON.stringify([
      {
        device_name: 'Intel Arc A770',
        gpu_clock: '2400MHz',
        temp: '48C',
        fan_speed: '35%',
        power_draw: '13W',
        gpu_util: '5%',
        mem_util: '20%',
        mem_total: '17095983104',
        mem_used: '3419196620',
      },
      { gpu_clock: null, temp: null, fan_speed: 'CPU Fan', power_draw: null, gpu_util: null, mem_used: null },
    ]);
    expect(parseNvtop(text)).toEqual([
      expect.objectContaining({
        name: 'Intel Arc A770',
        utilization: 0.05,
        memoryTotalBytes: 17095983104,
        temperatureC: 48,
        powerW: 13,
        fan: 0.35,
      }),
      expect.objectContaining({ name: 'GPU', utilization: null, fan: null, memoryUsedBytes: null }),
    ]);
  });
});

describe('a program on an Intel card', () => {
  const i915 = (ns: number): string =>
    `pos:\t0\ndrm-driver:\ti915\ndrm-client-id:\t7\ndrm-pdev:\t0000:03:00.0\ndrm-engine-render:\t${ns} ns\ndrm-engine-compute:\t${4 * ns} ns\ndrm-engine-capacity-video:\t2\ndrm-resident-local0:\t2048 KiB\n`;
  const xe = (own: number, all: number): string =>
    `drm-driver:\txe\ndrm-client-id:\t9\ndrm-pdev:\t0000:03:00.0\ndrm-cycles-ccs:\t${own}\ndrm-total-cycles-ccs:\t${all}\ndrm-total-vram0:\t512 MiB\n`;
  const client = (text: string) => {
    const read = parseFdinfo(text, 5);
    return read ? [read] : [];
  };

  it('has its busiest engine and its memory told', () => {
    expect(parseFdinfo(i915(10), 5)).toMatchObject({ pid: 5, client: '7', memoryBytes: 2048 * 1024 });
    expect(engineShare(client(i915(1e8)), client(i915(2e8)), 1e9)).toBeCloseTo(0.4);
    expect(engineShare(client(xe(100, 1000)), client(xe(400, 2000)), 1e9)).toBeCloseTo(0.3);
    expect(parseFdinfo(xe(1, 2), 5)?.memoryBytes).toBe(512 * MIB);
  });

  it('says nothing the first time, after its counters went back, and of another driver', () => {
    expect(engineShare([], client(i915(5)), 1e9)).toBeNull();
    expect(engineShare(client(i915(9)), client(i915(5)), 1e9)).toBeNull();
    expect(engineShare(client(xe(9, 90)), client(xe(9, 90)), 1e9)).toBeNull();
    expect(engineShare(client(i915(5)), client(i915(5)), 1e9)).toBe(0);
    expect(parseFdinfo('drm-driver:\tamdgpu\ndrm-client-id:\t1\ndrm-pdev:\tx\n', 1)).toBeNull();
  });
});

describe('the GPU of a Mac', () => {
  it('is read from ioreg', () => {
    const text = `+-o AGXAcceleratorG14X  <class AGXAcceleratorG14X, id 0x100000abc, registered>
    {
      "IOClass" = "AGXAcceleratorG14X"
      "model" = "Apple M2 Max"
      "gpu-core-count" = 38
      "PerformanceStatistics" = {"In use system memory (driver)"=0,"Alloc system memory"=14511046656,"Tiler Utilization %"=30,"Device Utilization %"=34,"In use system memory"=7688503296}
    }
`;
    expect(parseIoreg(text)).toEqual({
      name: 'Apple M2 Max',
      utilization: 0.34,
      memoryUsedBytes: 7688503296,
    });
    expect(parseIoreg('')).toBeNull();
  });

  it.each([
    [
      'old',
      {
        gpu_usage: [338, 0.0765],
        gpu_power: 0.489,
        temp: { gpu_temp_avg: 46.13 },
        memory: { ram_total: 34359738368 },
      },
    ],
    [
      'new',
      {
        gpu_freq_mhz: 338,
        gpu_scaled_ratio: 0.02,
        gpu_active_ratio: 0.0765,
        gpu_power: 0.489,
        fans: [],
        temp: { gpu_temp_avg: 46.13 },
        memory: { ram_total: 34359738368 },
      },
    ],
  ])('is read from macmon of the %s kind', (_, line) => {
    expect(parseMacmon(JSON.stringify(line))).toEqual({
      utilization: 0.0765,
      clockMHz: 338,
      powerW: 0.489,
      temperatureC: 46.13,
      memoryTotalBytes: 34359738368,
    });
  });

  it('may have as much memory as was set, else that of the machine', () => {
    expect(parseMemoryLimit('hw.memsize: 34359738368\niogpu.wired_limit_mb: 28672\n')).toBe(28672 * MIB);
    expect(parseMemoryLimit('hw.memsize: 34359738368\niogpu.wired_limit_mb: 0\n')).toBe(34359738368);
    expect(parseMemoryLimit("sysctl: unknown oid 'hw.memsize'\n")).toBeNull();
  });
});

describe('what a source does not know', () => {
  const spellings = [
    '[N/A]',
    'N/A',
    'n/a',
    '[Not Supported]',
    'ERR!',
    '[Unknown Error]',
    '',
    '-',
    'nan',
    'null',
    'Infinity',
  ];
  const readings = (gpu: object | null | undefined): readonly unknown[] =>
    Object.entries(gpu ?? {})
      .filter(([key]) => !['id', 'index', 'name', 'pid', 'processes'].includes(key))
      .map(([, value]) => value);

  it.each(spellings)('is never 0 when it is told as %j', (absent) => {
    const cells = Array<string>(FULL_FIELDS.split(',').length - 3).fill(absent);
    const leaves = { value: absent, unit: '' };
    const files = [...AMD_FILES, ...AMD_HWMON_FILES.map((file) => `hwmon/${file}`)];
    const told = [
      parseGpuRow(['0, GPU-a, X', ...cells].join(', '), FULL_FIELDS.split(',').length),
      parseProcessRow(`12, GPU-a, ${absent}, app`)?.process,
      amd(Object.fromEntries(files.map((file) => [file, absent]))),
      parseAmdSmi(
        JSON.stringify([{ usage: { gfx_activity: absent }, power: { socket_power: leaves }, fan: absent }]),
      )?.[0],
      parseRocmSmi(
        JSON.stringify({
          card0: {
            'GPU use (%)': absent,
            'VRAM Total Memory (B)': absent,
            'VRAM Total Used Memory (B)': absent,
            'Temperature (Sensor edge) (C)': absent,
            'Average Graphics Package Power (W)': absent,
          },
        }),
      )?.[0],
      parseNvtop(
        JSON.stringify([
          { gpu_util: absent, temp: absent, power_draw: absent, mem_used: absent, mem_total: absent },
        ]),
      )?.[0],
      parseIoreg(
        `"PerformanceStatistics" = {"Device Utilization %"=${absent},"In use system memory"=${absent}}`,
      ),
      parseMacmon(
        JSON.stringify({ gpu_usage: [absent, absent], gpu_power: absent, temp: absent, memory: absent }),
      ),
    ];
    expect(told).not.toContain(undefined);
    for (const gpu of told) {
      expect(readings(gpu).length).toBeGreaterThan(0);
      for (const value of readings(gpu)) expect(value).toBeNull();
    }
  });

  it('is never 0 when it is not there at all', () => {
    const told = [
      amd({}),
      parseAmdSmi('[{"gpu":0}]')?.[0],
      parseRocmSmi('{"card0":{}}')?.[0],
      parseNvtop('[{}]')?.[0],
      parseIoreg('"PerformanceStatistics" = {}'),
      parseMacmon('{"gpu_usage":[]}'),
    ];
    for (const gpu of told) for (const value of readings(gpu)) expect(value).toBeNull();
  });
});
