import { describe, expect, it } from '@jest/globals';
import { batteryOf, readBattery } from '../../../src/hardware/battery.js';
import { findSensors, openThermometer, parseMillidegrees } from '../../../src/hardware/temperatures.js';
import { makeTree, writeTree } from './tree.js';

async function temperatures(files: Readonly<Record<string, string>>) {
  const thermometer = openThermometer(findSensors(makeTree(files)));
  const told = await thermometer.read();
  thermometer.close();
  return told.map(({ label, celsius }) => `${label} ${celsius}`);
}
const chip = (number: number, files: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(files).map(([name, text]) => [`sys/class/hwmon/hwmon${number}/${name}`, `${text}\n`]),
  );

describe('temperatures', () => {
  it('tells the processor first, under names that people know, without each core', async () => {
    const told = await temperatures({
      ...chip(0, { name: 'nvme', temp1_input: '38850', temp1_label: 'Composite' }),
      ...chip(1, {
        name: 'coretemp',
        temp1_input: '61000',
        temp1_label: 'Package id 0',
        temp2_input: '58000',
        temp2_label: 'Core 0',
      }),
      ...chip(2, { name: 'acpitz', temp1_input: '27800' }),
    });
    expect(told).toEqual(['CPU package 61', 'nvme Composite 38.85', 'acpitz 27.8']);
  });

  it('keeps the sensors of one chip apart and numbers sockets and disks', async () => {
    const nvme = { name: 'nvme', temp1_input: '40000', temp1_label: 'Composite' };
    const told = await temperatures({
      ...chip(0, {
        name: 'k10temp',
        temp1_input: '70125',
        temp1_label: 'Tctl',
        temp3_input: '55000',
        temp3_label: 'Tccd1',
      }),
      ...chip(1, nvme),
      ...chip(2, { ...nvme, temp1_input: '41000' }),
      ...chip(10, { name: 'jc42', temp1_input: '33000' }),
    });
    expect(told).toEqual([
      'CPU Tctl 70.125',
      'CPU Tccd1 55',
      'nvme Composite 1 40',
      'nvme Composite 2 41',
      'jc42 33',
    ]);
  });

  it('does not touch cards and disks that it would wake, nor inputs that are connected to nothing', async () => {
    const told = await temperatures({
      ...chip(0, { name: 'amdgpu', temp1_input: '50000', temp1_label: 'edge' }),
      ...chip(1, { name: 'drivetemp', temp1_input: '30000' }),
      ...chip(2, {
        name: 'nct6798',
        temp1_input: '34000',
        temp1_label: 'SYSTIN',
        temp2_input: '107000',
        temp2_label: 'AUXTIN1',
        temp3_input: '-128000',
        temp3_label: 'CPUTIN',
      }),
    });
    expect(told).toEqual(['nct6798 SYSTIN 34']);
  });

  it('falls back to the thermal zones', async () => {
    const zones = {
      'sys/class/thermal/thermal_zone0/type': 'acpitz\n',
      'sys/class/thermal/thermal_zone0/temp': '27800\n',
      'sys/class/thermal/thermal_zone1/type': 'x86_pkg_temp\n',
      'sys/class/thermal/thermal_zone1/temp': '52000\n',
      'sys/class/thermal/thermal_zone2/type': 'gpu-thermal\n',
      'sys/class/thermal/thermal_zone2/temp': '99000\n',
    };
    expect(await temperatures(zones)).toEqual(['CPU package 52', 'acpitz 27.8']);
    const other = chip(0, { name: 'nvme', temp1_input: '38000', temp1_label: 'Composite' });
    expect(await temperatures({ ...zones, ...other })).toEqual(['CPU package 52', 'nvme Composite 38']);
    const cpu = chip(0, { name: 'k10temp', temp1_input: '60000', temp1_label: 'Tctl' });
    expect(await temperatures({ ...zones, ...cpu })).toEqual(['CPU Tctl 60']);
    expect(await temperatures({})).toEqual([]);
  });

  it('reads again what it holds open', async () => {
    const root = makeTree(chip(0, { name: 'coretemp', temp1_input: '40000' }));
    const thermometer = openThermometer(findSensors(root));
    expect(await thermometer.read()).toEqual([{ label: 'CPU', celsius: 40 }]);
    writeTree(root, chip(0, { temp1_input: '9000' }));
    expect(await thermometer.read()).toEqual([{ label: 'CPU', celsius: 9 }]);
    thermometer.close();
    expect(await thermometer.read()).toEqual([]);
  });

  it.each([['', 'N/A', '42.5', '127500', '-128000', '65261850', 'x1000']])('%p is none', (text) => {
    expect(parseMillidegrees(text)).toBeNull();
  });

  it('0 is a temperature when the sensor says so', () => {
    expect(parseMillidegrees('0\n')).toBe(0);
  });
});

describe('the battery', () => {
  const BATTERY = {
    type: 'Battery',
    status: 'Discharging',
    capacity: '81',
    energy_now: '40000000',
    energy_full: '50000000',
    power_now: '12345000',
  };

  it('is found by its type, whatever its name, beside mains and mice', async () => {
    const supply = (name: string, files: Readonly<Record<string, string>>) =>
      Object.fromEntries(
        Object.entries(files).map(([file, text]) => [`sys/class/power_supply/${name}/${file}`, `${text}\n`]),
      );
    const root = makeTree({
      ...supply('ADP1', { type: 'Mains', online: '0' }),
      ...supply('CMB7', BATTERY),
      ...supply('hidpp_battery_0', {
        type: 'Battery',
        scope: 'Device',
        capacity: '5',
        status: 'Discharging',
      }),
    });
    const told = await readBattery(root);
    expect(told).toEqual({ charge: 0.81, charging: false, powerW: expect.closeTo(12.345), mains: false });
    expect(await readBattery(makeTree({}))).toBeNull();
  });

  it.each([
    ['Charging', true],
    ['Full', false],
    ['Not charging', false],
    ['Unknown', null],
    ['', null],
  ])('%p means charging: %p', (status, charging) => {
    expect(batteryOf([{ ...BATTERY, status }])?.charging).toBe(charging);
  });

  it('takes two as one by what they hold', () => {
    const small = { ...BATTERY, capacity: '0', energy_now: '0', energy_full: '10000000', status: 'Unknown' };
    expect(batteryOf([BATTERY, small])?.charge).toBeCloseTo(40 / 60);
    expect(batteryOf([BATTERY, { type: 'Battery', capacity: '50' }])?.charge).toBeNull();
  });

  it('makes the power of current and voltage where there is no other, and of nothing else', () => {
    const { power_now: _, ...rest } = BATTERY;
    expect(batteryOf([{ ...rest, current_now: '-1500000', voltage_now: '12000000' }])?.powerW).toBeCloseTo(
      18,
    );
    expect(batteryOf([rest])?.powerW).toBeNull();
    expect(batteryOf([{ type: 'Battery' }])).toEqual({
      charge: null,
      charging: null,
      powerW: null,
      mains: null,
    });
  });

  it('a desktop has none', () => {
    expect(batteryOf([{ type: 'Mains', online: '1' }])).toBeNull();
  });
});
