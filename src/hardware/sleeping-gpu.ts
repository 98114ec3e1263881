import fs from 'node:fs';
import path from 'node:path';

const NVIDIA_VENDOR = '0x10de';
/** PCI class of display controllers. */
const DISPLAY_CLASS = '0x03';

/**
 * The PCI addresses of the NVIDIA cards of this machine when every one of them is switched off to save power; else none. Asking
 * nvidia-smi would wake a laptop's card and keep it at 5 to 8 W; reading these files does not.
 */
export function sleepingNvidia(root: string): readonly string[] {
  const base = path.join(root, 'sys/bus/pci/devices');
  try {
    const cards = fs
      .readdirSync(base)
      .filter(
        (device) =>
          word(base, device, 'vendor') === NVIDIA_VENDOR &&
          word(base, device, 'class').startsWith(DISPLAY_CLASS),
      );
    return cards.every((device) => word(base, device, 'power/runtime_status') === 'suspended') ? cards : [];
  } catch {
    return [];
  }
}

/** Whether every NVIDIA card of this machine is switched off to save power. */
export function nvidiaSleeps(root: string): boolean {
  return sleepingNvidia(root).length > 0;
}

function word(base: string, device: string, file: string): string {
  try {
    return fs.readFileSync(path.join(base, device, file), 'utf8').trim();
  } catch {
    return '';
  }
}
