import { createRemoteLines } from '../../../src/hardware/remote-lines.js';
import { readPage } from '../../../src/hardware/remote-pages.js';
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

const nodeCpu = (step: number): string =>
  [0, 1]
    .flatMap((core) =>
      Object.entries({ idle: 100 + 6 * step, iowait: 5 + step, user: 10 + 2 * step, system: 7 + step }).map(
        ([mode, seconds]) => `node_cpu_seconds_total{cpu="${core}",mode="${mode}"} ${seconds}`,
      ),
    )
    .join('\n');
const node = (step: number): string => `node_load1 0.21
node_load5 0.37
node_load15 0.39
node_memory_MemTotal_bytes 6.7108864e+10
node_memory_MemAvailable_bytes 5.3687091e+10
node_memory_MemFree_bytes 3e+10
node_memory_Cached_bytes 2e+10
node_memory_Buffers_bytes 1e+09
node_memory_SReclaimable_bytes 1e+09
node_memory_Shmem_bytes 5e+08
node_memory_SwapTotal_bytes 4.294967296e+09
node_memory_SwapFree_bytes 3.221225472e+09
node_zfs_arc_size 1.3e+10
node_zfs_arc_c_min 1e+09
node_filesystem_avail_bytes{device="/dev/nvme0n1p2",fstype="ext4",mountpoint="/"} 1e+11
node_filesystem_size_bytes{device="/dev/nvme0n1p2",fstype="ext4",mountpoint="/"} 5e+11
node_hwmon_temp_celsius{chip="k10temp",sensor="temp1"} 54.25
node_network_receive_bytes_total{device="eth0"} ${1000 + 500 * step}
node_network_transmit_bytes_total{device="eth0"} ${400 + 70 * step}
node_pressure_cpu_waiting_seconds_total ${4 + step / 10}
node_pressure_memory_waiting_seconds_total ${10 + step / 10}
node_pressure_memory_stalled_seconds_total ${2 + step / 20}
node_pressure_io_waiting_seconds_total ${3 + step / 5}
node_vmstat_oom_kill 2
${nodeCpu(step)}
`;
const CARD = 'gpu="0",UUID="GPU-aa",modelName="NVIDIA H100"';
const PAGES: Readonly<Record<string, (step: number) => string>> = {
  'node_exporter of Linux': node,
  'node_exporter of macOS': () => `node_load1 2.1
node_memory_total_bytes 3.4359738368e+10
node_memory_internal_bytes 1.2e+10
node_memory_purgeable_bytes 1e+09
node_memory_wired_bytes 3e+09
node_memory_compressed_bytes 2e+09
node_memory_swap_used_bytes 1e+09
node_memory_swap_total_bytes 2e+09
`,
  'dcgm-exporter': () => `DCGM_FI_DEV_GPU_UTIL{${CARD}} 37
DCGM_FI_DEV_FB_USED{${CARD}} 11125
DCGM_FI_DEV_FB_FREE{${CARD}} 69875
DCGM_FI_DEV_FB_RESERVED{${CARD}} 559
DCGM_FI_DEV_GPU_TEMP{${CARD}} 34
DCGM_FI_DEV_MEMORY_TEMP{${CARD}} 41
DCGM_FI_DEV_POWER_USAGE{${CARD}} 70.18
DCGM_FI_DEV_SM_CLOCK{${CARD}} 1980
`,
  nvidia_gpu_exporter: () => `nvidia_smi_index{uuid="aa"} 1
nvidia_smi_utilization_gpu_ratio{uuid="aa"} 0.37
nvidia_smi_memory_used_bytes{uuid="aa"} 1024
nvidia_smi_memory_total_bytes{uuid="aa"} 4096
nvidia_smi_temperature_gpu{uuid="aa"} 44
nvidia_smi_power_draw_watts{uuid="aa"} 12.5
nvidia_smi_power_limit_watts{uuid="aa"} 450
nvidia_smi_fan_speed_ratio{uuid="aa"} 0.3
nvidia_smi_clocks_current_graphics_clock_hz{uuid="aa"} 2.1e+09
`,
  'llama-swap': (step) => `llamaswap_cpu_util_percent{core="0"} 10
llamaswap_cpu_util_percent{core="1"} 20
llamaswap_memory_total_bytes 128000000000
llamaswap_memory_used_bytes 64000000000
llamaswap_swap_total_bytes 8000000000
llamaswap_swap_used_bytes 1000000000
llamaswap_load_average{interval="1m"} 1.5
llamaswap_network_bytes_total{direction="recv"} ${1000 * (step + 1)}
llamaswap_network_bytes_total{direction="sent"} ${300 * (step + 1)}
llamaswap_gpu_util_percent{id="1",name="RTX"} 55
llamaswap_gpu_memory_used_bytes{id="1",name="RTX"} 1000000
llamaswap_gpu_memory_total_bytes{id="1",name="RTX"} 9000000
llamaswap_gpu_temperature_celsius{id="1",name="RTX"} 60
llamaswap_gpu_power_draw_watts{id="1",name="RTX"} 9.94
`,
  'llama.cpp': (step) => `llamacpp:requests_processing 2
llamacpp:requests_deferred 1
llamacpp:kv_cache_usage_ratio 0.5
llamacpp:tokens_predicted_total ${100 + step}
llamacpp:prompt_tokens_total ${200 + step}
`,
  vLLM: (step) => `vllm:num_requests_running{engine="0"} 2
vllm:num_requests_waiting{engine="0"} 1
vllm:kv_cache_usage_perc{engine="0"} 0.4
vllm:generation_tokens_total{engine="0"} ${100 + step}
vllm:prompt_tokens_total{engine="0"} ${200 + step}
`,
  'macmon serve': () => `macmon_memory_ram_total_bytes{chip="Apple M3"} 34359738368
macmon_memory_ram_used_bytes{chip="Apple M3"} 17179869184
macmon_memory_swap_total_bytes{chip="Apple M3"} 2000000
macmon_memory_swap_used_bytes{chip="Apple M3"} 1000000
macmon_cpu_active_ratio{chip="Apple M3"} 0.25
macmon_gpu_active_ratio{chip="Apple M3"} 0.5
macmon_gpu_power_watts{chip="Apple M3"} 7.5
macmon_gpu_temp_celsius{chip="Apple M3"} 41
macmon_gpu_freq_mhz{chip="Apple M3"} 1200
`,
};
function page(name: string, make: (step: number) => string): ParserSample {
  return text(`the page of ${name}`, make(10), (changed) => {
    const first = readPage(make(0), null, 100);
    const second = readPage(changed, 'reason' in first ? null : first.look, 110);
    if ('reason' in second) return null;
    const { sample, detail, gpus, facts } = second;
    return { sample, detail, gpus, memoryBytes: facts?.memoryBytes };
  });
}

/** A tick as the shell loop prints it. */
const tick = (stat: string, net: string, uptime: string): string =>
  [
    ...stat.split('\n', 3).map((line) => `/proc/stat:${line}`),
    ...MEMINFO.trim()
      .split('\n')
      .map((line) => `/proc/meminfo:${line}`),
    '/proc/loadavg:0.5 0.4 0.3 1/100 42',
    `/proc/uptime:${uptime} 77.5`,
    '/proc/vmstat:oom_kill 3',
    `/proc/net/dev:${net.trim().split('\n').at(-1) ?? ''}`,
    '/proc/pressure/cpu:some avg10=1.5 avg60=1.0 avg300=1.0 total=5',
    '/proc/pressure/memory:some avg10=2.5 avg60=1.0 avg300=1.0 total=5',
    '/proc/pressure/memory:full avg10=1.25 avg60=1.0 avg300=1.0 total=5',
    '/proc/pressure/io:some avg10=3.5 avg60=1.0 avg300=1.0 total=5',
    '@lmapp amd /sys/devices/pci0000:00/0000:03:00.0',
    ...Object.entries(AMD_CARD).map(([file, value]) => `${file.replace('hwmon/', 'hwmon/hwmon4/')}:${value}`),
    '@lmapp disk 1000000 250000 /',
  ].join('\n');
const MAC_TICK = `vm.loadavg: { 2.10 1.95 1.80 }
hw.memsize: 34359738368
vm.swapusage: total = 2048.00M  used = 1024.50M  free = 1023.50M  (encrypted)
iogpu.wired_limit_mb: 28672
Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages purgeable:                  1000.
Anonymous pages:                400000.
Pages wired down:               150000.
Pages occupied by compressor:    90000.
      "PerformanceStatistics" = {"Device Utilization %"=34,"In use system memory"=7688503296}
@lmapp disk 1000000 250000 /`;
function shellLoop(name: string, before: string, now: string): ParserSample {
  return text(
    name,
    now,
    (changed) => {
      const lines = createRemoteLines();
      const told = [
        '@lmapp hello',
        ...before.split('\n'),
        '@lmapp tick',
        ...changed.split('\n'),
        '@lmapp tick',
      ]
        .map((line) => lines.take(line))
        .filter((kind) => kind.type === 'tick')
        .at(-1);
      return told && { ...told.tick, facts: { memoryBytes: told.tick.facts.memoryBytes } };
    },
    true,
  );
}

/** Parsers of what machines elsewhere tell. */
export const REMOTE: readonly ParserSample[] = [
  ...Object.entries(PAGES).map(([name, make]) => page(name, make)),
  shellLoop('the shell loop on Linux', tick(STAT_BEFORE, NET_BEFORE, '1000.5'), tick(STAT, NET, '1001.6')),
  shellLoop('the shell loop on macOS', MAC_TICK, MAC_TICK),
];
