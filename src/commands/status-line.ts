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
      stderr.write(`\r\x1b[K${text}`);
      shown = text;
    },
    clear,
  };
}
