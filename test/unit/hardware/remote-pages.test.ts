import { describe, expect, it } from '@jest/globals';
import { readPage, type PageLook, type PageReading } from '../../../src/hardware/remote-pages.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

function read(text: string, before: PageLook | null = null, atSeconds = 0): PageReading {
  const page = readPage(text, before, atSeconds);
  if ('reason' in page) throw new Error(page.reason);
  return page;
}

/** Two processors; seconds since the start of each mode. */
const cpu = (idle: number, user: number, iowait: number): string =>
  [0, 1]
    .flatMap((core) => [
      `node_cpu_seconds_total{cpu="${core}",mode="idle"} ${idle}`,
      `node_cpu_seconds_total{cpu="${core}",mode="iowait"} ${iowait}`,
      `node_cpu_seconds_total{cpu="${core}",mode="user"} ${user}`,
      `node_cpu_guest_seconds_total{cpu="${core}",mode="user"} 999`,
    ])
    .join('\n');

const LINUX = `# HELP node_load1 1m load average.
# TYPE node_load1 gauge
node_load1 0.21
node_load5 0.37
node_load15 0.39
node_memory_MemTotal_bytes 6.7108864e+10
node_memory_MemAvailable_bytes 5.3687091e+10
node_memory_SwapTotal_bytes 4.294967296e+09
node_memory_SwapFree_bytes 3.221225472e+09
node_filesystem_avail_bytes{device="/dev/nvme0n1p2",fstype="ext4",mountpoint="/"} 1e+11
node_filesystem_avail_bytes{device="/dev/nvme0n1p2",fstype="ext4",mountpoint="/var/lib/ollama"} 1e+11
node_filesystem_avail_bytes{device="tmpfs",fstype="tmpfs",mountpoint="/tmp"} 5
node_filesystem_size_bytes{device="/dev/nvme0n1p2",fstype="ext4",mountpoint="/"} 5e+11
node_hwmon_chip_names{chip="pci0000:00_0000:00:18_3",chip_name="k10temp"} 1
node_hwmon_sensor_label{chip="pci0000:00_0000:00:18_3",label="Tctl",sensor="temp1"} 1
node_hwmon_temp_celsius{chip="pci0000:00_0000:00:18_3",sensor="temp1"} 54.25
node_network_receive_bytes_total{device="eth0"} 1000
node_network_receive_bytes_total{device="lo"} 777777
node_network_transmit_bytes_total{device="eth0"} 400
node_pressure_memory_waiting_seconds_total 10
node_uname_info{machine="x86_64",nodename="gpu-box",release="6.8.0",sysname="Linux"} 1
node_vmstat_oom_kill 2
`;

describe('a page of node_exporter', () => {
  it('tells memory, load, disks and heat at once, and shares only from the second look on', () => {
    const first = read(`${LINUX}${cpu(100, 10, 5)}\n`, null, 100);
    expect(first.sample).toEqual({
      cpu: null,
      cores: null,
      memoryUsedBytes: 67108864000 - 53687091000,
      memoryTotalBytes: 67108864000,
      memoryLimited: false,
      swapUsedBytes: GIB,
      swapTotalBytes: 4 * GIB,
      load1: 0.21,
      diskFreeBytes: 1e11,
      netReceivedPerSecond: null,
      netSentPerSecond: null,
    });
    expect(first.detail).toMatchObject({
      pressure: { memorySome: null },
      load5: 0.37,
      oomKills: 2,
      temperatures: [{ label: 'k10temp Tctl', celsius: 54.25 }],
      disks: [{ path: '/', freeBytes: 1e11, totalBytes: 5e11 }],
    });
    expect(first.facts).toMatchObject({ system: 'Linux 6.8.0 x86_64', cores: 2 });
    const next = LINUX.replace('eth0"} 1000', 'eth0"} 6000').replace(
      'waiting_seconds_total 10',
      'waiting_seconds_total 12',
    );
    const second = read(`${next}${cpu(102, 12, 6)}\n`, first.look, 105);
    expect(second.sample).toMatchObject({
      cpu: 0.4,
      cores: [0.4, 0.4],
      netReceivedPerSecond: 1000,
      netSentPerSecond: 0,
    });
    expect(second.detail?.pressure?.memorySome).toBeCloseTo(0.4);
  });

  it.each([
    ['counters that went back', cpu(1, 1, 1), 105],
    ['a page that came out of a cache', cpu(100.1, 10, 5), 105],
    ['looks too near to each other', cpu(100.4, 10.1, 5), 100.5],
    ['a machine that slept', cpu(102, 12, 6), 100 + 3600],
  ])('has no share from %s', (_, text, at) => {
    const first = read(`node_load1 1\n${cpu(100, 10, 5)}\n`, null, 100);
    expect(read(`node_load1 1\n${text}\n`, first.look, at).sample).toMatchObject({ cpu: null, cores: null });
  });

  it('of an old kernel has what was available then', () => {
    const old = LINUX.replace(
      /node_memory_MemAvailable.*\n/,
      'node_memory_MemFree_bytes 1e10\nnode_memory_Cached_bytes 2e10\n',
    );
    expect(read(old).sample?.memoryUsedBytes).toBe(67108864000 - 3e10);
  });

  it('of macOS counts as Activity Monitor does', () => {
    const mac = `node_load1 2.1
node_memory_total_bytes 3.4359738368e+10
node_memory_internal_bytes 1.2e+10
node_memory_purgeable_bytes 1e+09
node_memory_wired_bytes 3e+09
node_memory_compressed_bytes 2e+09
node_memory_swap_used_bytes 0
node_memory_swap_total_bytes 0
`;
    expect(read(mac).sample).toMatchObject({
      memoryUsedBytes: 1.6e10,
      memoryTotalBytes: 34359738368,
      swapUsedBytes: 0,
      swapTotalBytes: 0,
    });
  });

  it('without a value has null, also for NaN', () => {
    expect(read('node_load1 NaN\nnode_memory_MemTotal_bytes NaN\n').sample).toMatchObject({
      load1: null,
      memoryTotalBytes: null,
      memoryUsedBytes: null,
      diskFreeBytes: null,
    });
  });
});

describe('cards on pages of metrics', () => {
  const label = 'gpu="0",UUID="GPU-aa",modelName="NVIDIA H100"';

  it('come from dcgm-exporter, in MiB, with the total from its parts', () => {
    const page = `DCGM_FI_DEV_GPU_UTIL{${label}} 0
DCGM_FI_DEV_FB_USED{${label}} 11125
DCGM_FI_DEV_FB_FREE{${label}} 69875
DCGM_FI_DEV_FB_RESERVED{${label}} 559
DCGM_FI_DEV_GPU_TEMP{${label}} 34
DCGM_FI_DEV_MEMORY_TEMP{${label}} 41
DCGM_FI_DEV_POWER_USAGE{${label}} 70.18
DCGM_FI_DEV_SM_CLOCK{${label}} 1980
`;
    expect(read(page).gpus).toEqual([
      expect.objectContaining({
        id: 'GPU-aa',
        name: 'NVIDIA H100',
        utilization: 0,
        memoryUsedBytes: 11125 * MIB,
        memoryTotalBytes: 81559 * MIB,
        temperatureC: 34,
        memoryTemperatureC: 41,
        powerW: 70.18,
        clockMHz: 1980,
        fan: null,
      }),
    ]);
    expect(read(page).sample).toBeNull();
  });

  it.each(['9223372036854775794', '9.223372036854775794e+18', '4294967295', '199000', 'NaN', '1.4e14'])(
    'have null for a blank that is told as %s',
    (blank) => {
      const names = ['GPU_UTIL', 'FB_USED', 'FB_FREE', 'GPU_TEMP', 'MEMORY_TEMP', 'POWER_USAGE', 'SM_CLOCK'];
      const wrong = blank === '199000' ? ['GPU_UTIL'] : names;
      const page = wrong.map((name) => `DCGM_FI_DEV_${name}{${label}} ${blank}`).join('\n');
      const { id: _, index: __, name: ___, ...readings } = read(page).gpus[0] ?? { id: 0, index: 0, name: 0 };
      expect(new Set(Object.values(readings))).toEqual(new Set([null]));
    },
  );

  it('that are divided have no share', () => {
    const page = `DCGM_FI_DEV_GPU_UTIL{${label},GPU_I_PROFILE="3g.40gb",GPU_I_ID="1"} 80\nDCGM_FI_DEV_GPU_TEMP{${label}} 30\n`;
    expect(read(page).gpus[0]).toMatchObject({ utilization: null, note: 'n/a (MIG)', temperatureC: 30 });
  });

  it('come from nvidia_gpu_exporter under the identity that the others use', () => {
    const page = `nvidia_smi_gpu_info{uuid="aa",name="NVIDIA GeForce RTX 4090"} 1
nvidia_smi_index{uuid="aa"} 1
nvidia_smi_utilization_gpu_ratio{uuid="aa"} 0.37
nvidia_smi_memory_used_bytes{uuid="aa"} 1024
nvidia_smi_memory_total_bytes{uuid="aa"} 4096
nvidia_smi_power_draw_watts{uuid="aa"} 12.5
nvidia_smi_fan_speed_ratio{uuid="aa"} 0
nvidia_smi_last_collect_success 1
`;
    expect(read(page).gpus[0]).toMatchObject({
      id: 'GPU-aa',
      index: 1,
      name: 'NVIDIA GeForce RTX 4090',
      utilization: 0.37,
      memoryTotalBytes: 4096,
      powerW: 12.5,
      fan: 0,
      temperatureC: null,
    });
    expect(readPage(page.replace('success 1', 'success 0'), null, 0)).toMatchObject({
      reason: 'its nvidia-smi fails',
    });
  });

  it('come from llama-swap, whose zeros may stand for nothing known', () => {
    const gpu = 'id="0",name="NVIDIA GB10"';
    const page = `llamaswap_cpu_util_percent{core="1"} 20
llamaswap_cpu_util_percent{core="0"} 10
llamaswap_memory_total_bytes 128000000000
llamaswap_memory_used_bytes 64000000000
llamaswap_load_average{interval="1m"} 1.5
llamaswap_load_average{interval="5m"} 9
llamaswap_gpu_util_percent{${gpu}} 0
llamaswap_gpu_memory_used_bytes{${gpu}} 0
llamaswap_gpu_memory_total_bytes{${gpu}} 0
llamaswap_gpu_temperature_celsius{${gpu}} 0
llamaswap_gpu_power_draw_watts{${gpu}} 9.94
`;
    const { sample, gpus } = read(page);
    expect(sample).toMatchObject({ cores: [0.1, 0.2], memoryUsedBytes: 64e9, load1: 1.5 });
    expect(sample?.cpu).toBeCloseTo(0.15);
    expect(gpus[0]).toMatchObject({
      utilization: 0,
      memoryUsedBytes: null,
      memoryTotalBytes: 128e9,
      shared: true,
      temperatureC: null,
      powerW: 9.94,
    });
  });

  it('come from macmon, with the machine', () => {
    const page = `macmon_memory_ram_total_bytes{chip="Apple M3"} 34359738368
macmon_memory_ram_used_bytes{chip="Apple M3"} 17179869184
macmon_cpu_active_ratio{chip="Apple M3"} 0.25
macmon_gpu_active_ratio{chip="Apple M3"} 0.5
macmon_gpu_power_watts{chip="Apple M3"} 7.5
`;
    expect(read(page)).toMatchObject({
      sample: { cpu: 0.25, memoryUsedBytes: 16 * GIB },
      gpus: [{ name: 'Apple M3', utilization: 0.5, powerW: 7.5, shared: true }],
    });
  });
});

describe('a page of a model server', () => {
  const vllm = (answered: number): string => `vllm:num_requests_running{engine="0"} 2
vllm:num_requests_running{engine="1"} 1
vllm:num_requests_waiting{engine="0"} 0
vllm:kv_cache_usage_perc{engine="0"} 0.4
vllm:kv_cache_usage_perc{engine="1"} 0.2
vllm:generation_tokens_total{engine="0"} ${answered}
`;
  const llama = (running: number, answered: number): string => `llamacpp:requests_processing ${running}
llamacpp:requests_deferred 1
llamacpp:tokens_predicted_total ${answered}
llamacpp:prompt_tokens_total ${2 * answered}
`;
  const servers = (text: string, before: PageLook | null, at: number) => {
    const page = read(text, before, at);
    return { ...page, servers: page.detail?.servers ?? [] };
  };

  it('tells of its requests, its cache and, from the second look on, its speed, and nothing of the machine', () => {
    const first = servers(vllm(1000), null, 100);
    expect(first.servers).toEqual([
      {
        name: 'vLLM',
        running: 3,
        waiting: 0,
        cacheUsed: expect.closeTo(0.3),
        answerPerSecond: null,
        promptPerSecond: null,
      },
    ]);
    expect(first).toMatchObject({ sample: null, gpus: [], facts: null });
    expect(servers(vllm(1350), first.look, 110).servers[0]).toMatchObject({ answerPerSecond: 35 });
    expect(servers(vllm(3), first.look, 110).servers[0]).toMatchObject({ answerPerSecond: null });
  });

  it('of llama.cpp has no speed while an answer runs that it has not counted yet', () => {
    const first = servers(llama(1, 100), null, 100);
    expect(first.servers[0]).toMatchObject({ name: 'llama.cpp', running: 1, waiting: 1, cacheUsed: null });
    expect(servers(llama(1, 100), first.look, 105).servers[0]).toMatchObject({ answerPerSecond: null });
    expect(servers(llama(0, 150), first.look, 105).servers[0]).toMatchObject({
      answerPerSecond: 10,
      promptPerSecond: 20,
    });
    expect(servers(llama(0, 100), first.look, 105).servers[0]).toMatchObject({ answerPerSecond: 0 });
  });
});

describe('a page that tells nothing of a machine', () => {
  it.each([
    ['# HELP llamacpp:prompt_seconds_total x\nllamacpp:prompt_seconds_total 5\n', 'model server'],
    [JSON.stringify('llamacpp:predicted_tokens_seconds nan\n'), 'model server'],
    ['# TYPE go_goroutines gauge\ngo_goroutines 7\n', 'none of its metrics'],
    ['<html>hello</html>', 'no page of metrics'],
    ['', 'no page of metrics'],
  ])('says what it is: %j', (text, reason) =>
    expect(readPage(text, null, 0)).toMatchObject({
      reason: expect.stringContaining(reason),
      hint: expect.any(String),
    }),
  );

  it('is read also when it is one JSON text', () => {
    expect(read(JSON.stringify(LINUX)).sample?.load1).toBe(0.21);
  });
});
