// All probes of this machine at 1 Hz and nothing else, in a process of its own: what the gauges cost without the dashboard around them.
import { createMachinePoller } from '../../src/hardware/poller.js';
import { systemClock } from '../../src/ports.js';

const poller = createMachinePoller({
  ports: { clock: systemClock, env: process.env, platform: process.platform },
  diskFolder: process.cwd(),
  report: (report) => {
    counts.set(report.type, (counts.get(report.type) ?? 0) + 1);
  },
});
const counts = new Map<string, number>();
poller.watch({ machine: true, gpu: true, intervalMs: 1000 });
process.on('message', () => process.send?.(Object.fromEntries(counts)));
process.on('disconnect', () => {
  poller.stop();
  process.exit(0);
});
