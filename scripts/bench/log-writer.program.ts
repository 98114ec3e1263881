// log-writer FILE LINES_PER_SECOND TOTAL: appends numbered log lines to a file at that rate; the last one says LOG-END.
import fs from 'node:fs';

const [file = '', rate = '5000', total = '1000000'] = process.argv.slice(2);
const out = fs.openSync(file, 'a');
const startedAt = performance.now();
let written = 0;

const append = (): void => {
  const due = Math.min(Number(total), Math.floor(((performance.now() - startedAt) * Number(rate)) / 1000));
  let lines = '';
  for (; written < due; written += 1) {
    lines += `time=2026-11-23T20:49:52.000Z level=INFO source=sched.go:517 msg="line ${written} of the runner" size=${written % 977}\n`;
  }
  if (written === Number(total))
    lines += 'time=2026-11-23T20:49:53.000Z level=WARN source=sched.go:1 msg=LOG-END\n';
  fs.writeSync(out, lines);
  if (written < Number(total)) setTimeout(append, 10);
};
append();
