import { truncateEnd } from '../../widgets/text/truncate.js';

/** What happens meanwhile, for somebody who looks. */
export interface StatusLine {
  show(text: string): void;
  clear(): void;
}

/** One line that is written over; nothing at all when stderr is no terminal. */
export function statusLine(stderr: NodeJS.WriteStream): StatusLine {
  let shown = '';
  const clear = (): void => {
    if (shown !== '') stderr.write('\r\x1b[K');
    shown = '';
  };
  return {
    show(text) {
      if (!stderr.isTTY || process.env['TERM'] === 'dumb' || text === '' || text === shown) return;
      // A line that wraps could not be written over.
      stderr.write(`\r\x1b[K${truncateEnd(text, (stderr.columns ?? 80) - 1, '…')}`);
      shown = text;
    },
    clear,
  };
}
