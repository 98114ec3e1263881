import fs from 'node:fs/promises';
import path from 'node:path';

/** A card as the kernel shows it under /sys/class/drm. */
export interface DrmCard {
  readonly folder: string;
  /** PCI address, its identity. */
  readonly place: string;
  readonly hwmon: string | null;
}

/** Cards of one maker (`0x1002`), in the order of their PCI addresses. Reads nothing that would wake one. */
export async function findCards(root: string, vendor: string): Promise<readonly DrmCard[]> {
  const base = path.join(root, 'sys/class/drm');
  const names = await fs.readdir(base).catch(() => []);
  const cards: DrmCard[] = [];
  for (const name of names) {
    // card0-DP-1 is a connector of card0.
    if (!/^card\d+$/.test(name)) continue;
    const folder = path.join(base, name, 'device');
    if ((await wordOf(path.join(folder, 'vendor'))) !== vendor) continue;
    const place = path.basename(await fs.realpath(folder).catch(() => name));
    const hwmon = (await fs.readdir(path.join(folder, 'hwmon')).catch(() => []))[0];
    cards.push({ folder, place, hwmon: hwmon === undefined ? null : path.join(folder, 'hwmon', hwmon) });
  }
  return cards.sort((a, b) => (a.place < b.place ? -1 : 1));
}

/** Texts of the files that can be read, by name; those of hwmon with `hwmon/` before. A device may refuse any of them (EPERM, EBUSY). */
export async function readCard(
  card: DrmCard,
  files: readonly string[],
  hwmonFiles: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const take = async (key: string, file: string): Promise<void> => {
    const text = await wordOf(file);
    if (text !== null) texts.set(key, text);
  };
  // One after the other: the firmware of a card answers one question at a time.
  for (const file of files) await take(file, path.join(card.folder, file));
  if (card.hwmon !== null)
    for (const file of hwmonFiles) await take(`hwmon/${file}`, path.join(card.hwmon, file));
  return texts;
}

export async function isAsleep(card: DrmCard): Promise<boolean> {
  return (await wordOf(path.join(card.folder, 'power/runtime_status'))) === 'suspended';
}

async function wordOf(file: string): Promise<string | null> {
  try {
    return (await fs.readFile(file, 'utf8')).trim();
  } catch {
    return null;
  }
}
