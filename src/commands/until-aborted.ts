/** Null when the signal comes first; what was awaited ends by itself. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  const aborted = new Promise<null>((resolve) =>
    signal.addEventListener('abort', () => resolve(null), { once: true }),
  );
  return Promise.race([
    work.catch((error: unknown) => (signal.aborted ? null : Promise.reject(error))),
    aborted,
  ]);
}
