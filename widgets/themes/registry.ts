import { DARK } from './dark.js';
import { LIGHT } from './light.js';
import type { Theme } from './theme.js';

/** Every theme; the first one is the default. A new theme is one file and one line here. */
export const THEMES: readonly Theme[] = [DARK, LIGHT];

/** The theme of that name, or the default. */
export function themeNamed(name: string): Theme {
  return THEMES.find((theme) => theme.name === name) ?? DARK;
}
