/** Figures as files and programs write them; null for what is none. */

/** `42` */
export function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : null;
}

/** `42`, `4.2` */
export function decimal(text: string | undefined): number | null {
  return text !== undefined && /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null;
}

/** A share 0..1 of per cent. More than all of it is no reading. */
export function shareOf(percent: number | null): number | null {
  return percent !== null && percent <= 100 ? percent / 100 : null;
}

/** Of JSON that was read. */
export function isObject(read: unknown): read is Readonly<Record<string, unknown>> {
  return typeof read === 'object' && read !== null && !Array.isArray(read);
}
