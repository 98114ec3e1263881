import type http from 'node:http';

/** How the next pulls run. */
export interface PullScript {
  /** Bytes of each layer. */
  readonly layers: readonly number[];
  /** Lines of progress for each layer, and the time between them in ms. */
  readonly steps: number;
  readonly stepMs: number;
  /** Silence while it is verified, in ms. */
  readonly verifyMs: number;
  /** `error`: a line with this text after the manifest; `cut`: the socket ends in the middle. */
  readonly failure: { readonly kind: 'error' | 'cut'; readonly text?: string } | null;
}

/** What became of one pull. */
export interface PullTrace {
  readonly name: string;
  /** Bytes that were there already. */
  readonly from: number;
  closedByClient: boolean;
  done: boolean;
}

export const PLAIN_PULL: PullScript = {
  layers: [1_300_000_000, 12_000, 500],
  steps: 10,
  stepMs: 2,
  verifyMs: 0,
  failure: null,
};

const digestOf = (name: string, layer: number): string =>
  `sha256:${Buffer.from(`${name}#${layer}`.padEnd(32, '.')).toString('hex').slice(0, 64)}`;

/** Answers `POST /api/pull` as Ollama does. `parts` keeps what came of a name, so that the next pull goes on. Resolves to true on success. */
export async function answerPull(
  response: http.ServerResponse,
  name: string,
  script: PullScript,
  parts: Map<string, number>,
  trace: PullTrace,
): Promise<boolean> {
  const total = script.layers.reduce((sum, bytes) => sum + bytes, 0);
  const open = (): boolean => !response.destroyed && !trace.closedByClient;
  const write = (line: Readonly<Record<string, unknown>>): void => {
    if (open()) response.write(`${JSON.stringify(line)}\n`);
  };
  response.on('close', () => {
    if (!trace.done) trace.closedByClient = true;
  });
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  write({ status: 'pulling manifest' });
  if (script.failure?.kind === 'error') {
    write({ error: script.failure.text ?? 'pull model manifest: file does not exist' });
    trace.done = true;
    response.end();
    return false;
  }
  const step = total / (script.steps * script.layers.length);
  for (let done = parts.get(name) ?? 0; ; done = Math.min(total, Math.round(done + step))) {
    parts.set(name, done);
    let before = 0;
    for (const [i, bytes] of script.layers.entries()) {
      const completed = Math.max(0, Math.min(bytes, done - before));
      before += bytes;
      const digest = digestOf(name, i);
      write({
        status: `pulling ${digest.slice(7, 19)}`,
        digest,
        total: bytes,
        // As Ollama does it: 0 is left out.
        ...(completed > 0 ? { completed } : {}),
      });
    }
    if (done >= total || !open()) break;
    if (script.failure?.kind === 'cut' && done >= total / 2) {
      trace.done = true;
      response.destroy();
      return false;
    }
    await pause(script.stepMs);
  }
  if (!open()) return false;
  write({ status: 'verifying sha256 digest' });
  await pause(script.verifyMs);
  if (!open()) return false;
  parts.delete(name);
  write({ status: 'writing manifest' });
  write({ status: 'success' });
  trace.done = true;
  response.end();
  return true;
}

function pause(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms).unref());
}
