/**
 * A program of its own, started by facts.ts and portable.ts: asks systeminformation, whose calls block and start further programs.
 * Without an argument it prints the facts of this machine as one JSON line. With `--poll MS [--platform NAME] [--data FOLDER]` it prints
 * readings per interval until nobody reads any more.
 */
import si from 'systeminformation';
import type { MachineFacts } from '../domain/hardware.js';
import { poll } from './portable-poll.js';

const ANSWER_MS = 8000;

async function readFacts(): Promise<MachineFacts> {
  const [system, processor, memory, graphics] = await Promise.all([
    orNull(si.osInfo()),
    orNull(si.cpu()),
    orNull(si.mem()),
    orNull(si.graphics()),
  ]);
  const brand = [processor?.manufacturer, processor?.brand].filter((part) => part).join(' ');
  return {
    system: system
      ? [system.distro, system.release, system.arch].filter((part) => part && part !== 'unknown').join(' ')
      : null,
    processor: brand === '' ? null : brand,
    cores: processor?.cores || null,
    memoryBytes: memory?.total || null,
    // Names only: the amount of memory is wrong for cards whose driver is not running.
    gpus: (graphics?.controllers ?? [])
      .map((card) => nameOfCard(card.vendor, card.name || card.model))
      .filter((name) => name !== ''),
  };
}

function nameOfCard(vendor: string, model: string): string {
  const maker = vendor.replace(/,? (?:Inc\.?|Corporation|Corp\.?|Ltd\.?)$/gi, '').trim();
  return model.toLowerCase().startsWith(maker.toLowerCase()) ? model.trim() : `${maker} ${model}`.trim();
}

/** The answer, or null when it fails or does not come. */
function orNull<T>(asked: Promise<T>): Promise<T | null> {
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), ANSWER_MS).unref());
  return Promise.race([asked.catch(() => null), late]);
}

// Nobody reads any more.
process.stdout.on('error', () => process.exit(0));
const valueOf = (option: string): string | null => {
  const at = process.argv.indexOf(option);
  return at < 0 ? null : (process.argv[at + 1] ?? null);
};
const interval = valueOf('--poll');
if (interval !== null) {
  const parent = process.ppid;
  void poll({
    intervalMs: Math.max(200, Number(interval) || 1000),
    platform: (valueOf('--platform') ?? process.platform) as NodeJS.Platform,
    dataFolder: valueOf('--data'),
    tell(line) {
      // The parent was killed without a chance to end this program.
      if (process.ppid !== parent) process.exit(0);
      process.stdout.write(`${JSON.stringify(line)}\n`);
    },
  });
} else {
  void readFacts().then((facts) => process.stdout.write(`${JSON.stringify(facts)}\n`, () => process.exit(0)));
}
