import { isLoopback } from './fit.js';

/** The port of an address of this machine, however it is written (`localhost`, `127.0.0.1`, `[::1]`); null for one elsewhere. */
export function localPort(url: string): number | null {
  if (url === '' || !isLoopback(url) || !URL.canParse(url)) return null;
  const { port, protocol } = new URL(url);
  if (port !== '') return Number(port);
  return protocol === 'https:' ? 443 : 80;
}
