import { MEMINFO as MEMINFO_WITH_CACHE } from './tree.js';

/** One parser with a sample of its source in which no figure is 0, so that a 0 in a reading can only be made up. */
export interface ParserSample {
  readonly of: string;
  readonly files: Readonly<Record<string, string>>;
  /** Fields stand in columns: one that is cut out would be its neighbour, which nobody can see. */
  readonly columns?: boolean;
  read(files: Readonly<Record<string, string>>): unknown;
}

/** One whose source is one text. */
export const text = (
  name: string,
  sample: string,
  read: (text: string) => unknown,
  columns = false,
): ParserSample => ({
  of: name,
  files: { text: sample },
  columns,
  read: (files) => read(files['text'] ?? ''),
});

export const MEMINFO = MEMINFO_WITH_CACHE.replace('SwapCached:            0 kB\n', '');
export const STAT_BEFORE = `cpu  100 2 30 800 10 3 4 5 6 7
cpu0 50 1 15 400 5 1 2 3 4 5
cpu1 50 1 15 400 5 2 2 2 2 2
intr 12345 1 2
`;
export const STAT = `cpu  160 4 50 900 30 5 8 9 6 7
cpu0 80 2 25 450 15 2 4 5 4 5
cpu1 80 2 25 450 15 3 4 4 2 2
intr 12399 1 2
`;
export const NET_BEFORE = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
  eth0: 1000 10 1 1 1 1 1 1 500 5 1 1 1 1 1 1
`;
export const NET = NET_BEFORE.replace('1000 10', '9000 90').replace('500 5', '2500 25');
export const AMD_CARD: Readonly<Record<string, string>> = {
  gpu_busy_percent: '37',
  mem_info_vram_total: '25753026560',
  mem_info_vram_used: '5000000000',
  'hwmon/temp1_input': '51000',
  'hwmon/temp2_label': 'mem',
  'hwmon/temp2_input': '62000',
  'hwmon/power1_average': '35000000',
  'hwmon/power1_cap': '303000000',
  'hwmon/pwm1': '77',
  'hwmon/freq1_input': '500000000',
};
