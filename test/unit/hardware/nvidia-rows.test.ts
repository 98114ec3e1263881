import { describe, expect, it } from '@jest/globals';
import {
  FULL_FIELDS,
  parseGpuRow,
  refusesFields,
  stateOfEnd,
  withoutWakeUp,
  withSharedMemory,
} from '../../../src/hardware/nvidia-rows.js';
import type { ChildEnd } from '../../../src/hardware/child-lines.js';

const MIB = 1024 * 1024;
const end = (
  exitCode: number | null,
  lastLines: readonly string[] = [],
  signal: string | null = null,
  code: string | null = null,
): ChildEnd => ({ exitCode, signal, code, lastLines });

describe('a row of nvidia-smi', () => {
  it('is read with zeros as zeros', () => {
    expect(
      parseGpuRow('0, GPU-aa, NVIDIA GeForce RTX 4080 SUPER, 0, 596, 16376, 34, 12.02, 320.00, 0', 10),
    ).toEqual({
      id: 'GPU-aa',
      index: 0,
      name: 'NVIDIA GeForce RTX 4080 SUPER',
      utilization: 0,
      memoryUsedBytes: 596 * MIB,
      memoryTotalBytes: 16376 * MIB,
      temperatureC: 34,
      powerW: 12.02,
      powerLimitW: 320,
      fan: 0,
    });
    expect(parseGpuRow('1,GPU-bb,NVIDIA H100,100,80000,81559,71,631.95,700.00,[N/A]', 10)).toMatchObject({
      index: 1,
      utilization: 1,
      powerW: 631.95,
      fan: null,
    });
  });

  it.each([
    '[N/A]',
    'N/A',
    '[Not Supported]',
    'Not Supported',
    '[Unknown Error]',
    '[GPU requires reset]',
    'ERR!',
    '[Insufficient Permissions]',
    '',
    'Requested functionality has been deprecated',
    'n/a',
    '12 %',
    '1e3',
    'nan',
    '0x10',
  ])('has null, never 0, for %j', (absent) => {
    const row = parseGpuRow(`0, GPU-aa, Tesla K80, ${Array(7).fill(absent).join(', ')}`, 10);
    expect(row).toMatchObject({
      utilization: null,
      memoryUsedBytes: null,
      memoryTotalBytes: null,
      temperatureC: null,
      powerW: null,
      powerLimitW: null,
      fan: null,
    });
  });

  it('is read from the minimal list, and of a GB10 without memory', () => {
    expect(parseGpuRow('0, GPU-cc, NVIDIA GB10, 96, [N/A], [N/A], 60, 35.10', 8)).toMatchObject({
      utilization: 0.96,
      memoryUsedBytes: null,
      powerW: 35.1,
      powerLimitW: null,
      fan: null,
    });
  });

  it('drops impossible shares and keeps a fan above 100 %', () => {
    expect(parseGpuRow('0, GPU-a, X, 101, 1, 2, 3, 4, 5, 120', 10)).toMatchObject({
      utilization: null,
      fan: 1.2,
    });
    expect(parseGpuRow('0, GPU-a, X, -1, -1, 0, 3, 4, 0, 1', 10)).toMatchObject({
      utilization: null,
      memoryUsedBytes: null,
      memoryTotalBytes: null,
      powerLimitW: null,
    });
  });

  it.each([
    '',
    'index, uuid, name, utilization.gpu [%], a, b, c, d, e, f',
    'WARNING: infoROM is corrupted at gpu 0000:0B:00.0',
    'Unable to determine the device handle for GPU 0000:01:00.0: Unknown Error',
    '0, GPU-aa, NVIDIA',
    '<xml>',
  ])('is none: %j', (line) => expect(parseGpuRow(line, 10)).toBeNull());

  it('survives a name with a comma and an unknown identity', () => {
    expect(parseGpuRow('2, [N/A], Card, odd, 1, 2, 3, 4, 5, 6, 7', 10)).toMatchObject({
      id: 'gpu-2',
      name: 'Card, odd',
      utilization: 0.01,
    });
  });

  it('of a card that the question itself woke says nothing about its work', () => {
    const row = parseGpuRow('0, GPU-a, L40S, 100, 0, 46068, 30, 145, 350, 0', 10);
    expect(row && withoutWakeUp(row)).toMatchObject({ utilization: null, powerW: null, memoryUsedBytes: 0 });
  });
});

describe('a row with all fields', () => {
  const row = (cells: string) => parseGpuRow(cells, FULL_FIELDS.split(',').length);

  it('of an H100 has the temperature of its memory and no fan', () => {
    expect(
      row(
        '0, GPU-h, NVIDIA H100 80GB HBM3, 64, 71234, 81559, 41, 388.20, 700.00, [N/A], 1980, 48, Disabled, 9743, 0x0000000000000000',
      ),
    ).toMatchObject({
      fan: null,
      memoryTemperatureC: 48,
      clockMHz: 1980,
      note: null,
      memoryFreeBytes: 9743 * MIB,
      slowedBy: null,
    });
  });

  it('of a divided card says so and keeps its memory', () => {
    expect(
      row(
        '0, GPU-h, NVIDIA H100, [N/A], 11125, 81559, 35, 119.50, 700.00, [N/A], 1980, 44, Enabled, [N/A], 0x1',
      ),
    ).toMatchObject({ utilization: null, memoryUsedBytes: 11125 * MIB, note: 'n/a (MIG)', slowedBy: null });
  });

  it('of a Turing card has no memory temperature', () => {
    expect(
      row(
        '0, GPU-t, GeForce RTX 2080 SUPER, 0, 708, 8192, 34, 20.37, 250.00, 0, 300, N/A, [N/A], [N/A], 0x0000000000000001',
      ),
    ).toMatchObject({ fan: 0, memoryTemperatureC: null, note: null, slowedBy: null });
  });

  it.each([
    ['0x0000000000000020', 'heat'],
    ['0x0000000000000044', 'heat'],
    ['0x80', 'power brake'],
    ['0x0000000000000004', 'power limit'],
    ['0x0000000000000002', null],
    ['[N/A]', null],
    ['Active', null],
  ])('is slowed: %s is %s', (mask, reason) =>
    expect(row(`0, GPU-a, X, 1, 1, 2, 3, 4, 5, 6, 7, 8, [N/A], [N/A], ${mask}`)?.slowedBy).toBe(reason),
  );

  it('of an N1X does not believe its memory', () => {
    const n1x = row('0, GPU-n, NVIDIA N1X, 5, 7929, 8128, 40, 20, [N/A], [N/A], 900, N/A, [N/A], [N/A], 0x0');
    expect(n1x && withSharedMemory(n1x, () => 128e9)).toMatchObject({
      shared: true,
      memoryTotalBytes: 128e9,
      memoryUsedBytes: null,
    });
  });

  it('of a laptop whose driver tells no memory is not taken for one that shares it', () => {
    const laptop = row(
      '0, GPU-l, NVIDIA GeForce RTX 4060 Laptop GPU, 5, [N/A], [N/A], 40, 20, [N/A], [N/A], 900, N/A, [N/A], [N/A], 0x0',
    );
    expect(laptop && withSharedMemory(laptop, () => 16e9)).toMatchObject({ memoryTotalBytes: null });
  });
});

describe('the end of nvidia-smi', () => {
  it.each<[ChildEnd, object]>([
    [
      end(18, [
        'Failed to initialize NVML: Driver/library version mismatch',
        'NVML library version: 550.144',
      ]),
      { state: 'failed', reason: 'the NVIDIA driver was updated: reboot' },
    ],
    [
      end(9, ["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver."]),
      { state: 'failed', reason: 'the NVIDIA driver is not running' },
    ],
    [end(6, ['No devices were found']), { state: 'absent' }],
    [end(4), { state: 'failed', reason: 'no permission to ask the NVIDIA driver' }],
    [end(15), { state: 'failed', reason: 'a GPU fell off the bus: reboot' }],
    [end(null, [], 'SIGSEGV'), { state: 'failed', reason: 'nvidia-smi crashed (SIGSEGV)' }],
    [end(null, [], null, 'ENOENT'), { state: 'absent' }],
    [end(255), { state: 'failed', reason: 'nvidia-smi ended (exit code 255)' }],
  ])('%j is told', (ended, state) => expect(stateOfEnd(ended)).toEqual(state));

  it('is known to be about a field', () => {
    expect([
      refusesFields(end(2)),
      refusesFields(end(1, ['Field "fan.speed" is not a valid field to query.'])),
      refusesFields(end(9)),
    ]).toEqual([true, true, false]);
  });
});
