import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { answerPull, PLAIN_PULL, type PullScript, type PullTrace } from './scripted-pull.js';
import { llamaCpp, ollama, pieceAt, type ChatFigures, type ScriptedModel } from './scripted-answers.js';

/** How the next answers run. Times in ms. */
export interface AnswerScript {
  /** Pieces of the answer; a number generates that many. One piece counts as one token. */
  readonly answer: number | readonly string[];
  readonly thinking: readonly string[];
  /** 0: as fast as the socket takes them. */
  readonly tokensPerSecond: number;
  /** Silence before the response head (a queue, a model being loaded). */
  readonly headAfterMs: number;
  /** Time for reading the prompt, told in `promptSteps` steps by llama.cpp. */
  readonly promptMs: number;
  readonly promptSteps: number;
  readonly promptTokens: number;
  /** llama.cpp: what it counts when it is asked before; null: it is too old for that. */
  readonly counts: number | null;
  readonly cachedTokens: number;
  readonly loadMs: number;
  /** Appended as the last piece, so that a test can see the end on the screen. */
  readonly endMark: string;
  /** What goes wrong after `after` pieces: the socket is cut, the stream ends without its end mark, an error object comes, nothing more comes. */
  readonly failure: { readonly kind: 'cut' | 'no-end' | 'error' | 'hang'; readonly after: number } | null;
  /** So long it goes on working after the client left, as /slots of llama.cpp tells. */
  readonly worksOnMs: number;
  /** Refuses the request with this status and body instead of answering. */
  readonly refusal: { readonly status: number; readonly body: unknown } | null;
}

/** What became of one answer. Times of the system's monotonic clock in ms, comparable between processes of this machine. */
export interface AnswerTrace {
  readonly model: string;
  requestedAt: number;
  firstPieceAt: number;
  lastPieceAt: number;
  pieces: number;
  /** The client closed the connection before the end; when. */
  closedByClientAt: number | null;
  done: boolean;
  /** Until then a slot is at work on it, though nobody listens. */
  worksUntil: number;
}

export interface ScriptedServerOptions {
  readonly kind: 'ollama' | 'llama.cpp';
  readonly port?: number;
  readonly models?: readonly ScriptedModel[];
  readonly script?: Partial<AnswerScript>;
  readonly slots?: number;
}

export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  readonly answers: readonly AnswerTrace[];
  /** Method and path of every request, in order. */
  readonly requests: readonly string[];
  /** The bodies of these requests. */
  readonly bodies: readonly string[];
  /** Every pull so far. */
  readonly pulls: readonly PullTrace[];
  /** For the pulls from now on. */
  playPull(script: Partial<PullScript>): void;
  /** For the answers from now on. */
  play(script: Partial<AnswerScript>): void;
  /** The models that it has from now on. Ollama's load and unload change them, too. */
  offer(models: readonly ScriptedModel[]): void;
  close(): Promise<void>;
}

export const PLAIN_SCRIPT: AnswerScript = {
  answer: 20,
  thinking: [],
  tokensPerSecond: 0,
  headAfterMs: 0,
  promptMs: 0,
  promptSteps: 1,
  promptTokens: 32,
  counts: null,
  cachedTokens: 0,
  loadMs: 0,
  endMark: '',
  failure: null,
  worksOnMs: 0,
  refusal: null,
};

export const PLAIN_MODEL: ScriptedModel = {
  name: 'scripted:1b',
  digest: '952118cbfe690d0462dc0b7df46af314124893db0b5453f4ff6c644141d67ab5',
  sizeBytes: 1_300_000_000,
  family: 'llama',
  parameters: '1.2B',
  quantization: 'Q4_K_M',
  contextMax: 131_072,
  capabilities: ['completion'],
  loaded: { context: 65_536, sizeBytes: 1_900_000_000, vramBytes: 0, forSeconds: 299 },
};

/** Milliseconds of the system's monotonic clock; the same in every process. */
export const systemMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** A server that looks like Ollama or llama.cpp and answers as its script says. */
export async function startScriptedServer(options: ScriptedServerOptions): Promise<ScriptedServer> {
  let models = options.models ?? [PLAIN_MODEL];
  const slots = options.slots ?? 2;
  const answers: AnswerTrace[] = [];
  const requests: string[] = [];
  const bodies: string[] = [];
  const sockets = new Set<Socket>();
  const pulls: PullTrace[] = [];
  const parts = new Map<string, number>();
  let pullScript = PLAIN_PULL;
  let script: AnswerScript = { ...PLAIN_SCRIPT, ...options.script };

  const server = http.createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    const number = requests.push(`${request.method} ${path}`) - 1;
    if (options.kind === 'llama.cpp') response.setHeader('Server', 'llama.cpp');
    void readBody(request).then((body) => {
      bodies[number] = body;
      const known =
        options.kind === 'ollama' ? ollamaRoute(path, body) : (counted(path) ?? llamaCppRoute(path, body));
      if (known === 'pull') return void pull(response, nameIn(body));
      if (known === 'unknown') return reply(response, 404, { error: `model '${nameIn(body)}' not found` });
      if (known === 'chat') return void answer(response, options.kind, body, script, answers);
      if (known === null) return reply(response, 404, { error: 'not found' });
      return reply(response, 200, known);
    });
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((listening) => server.listen(options.port ?? 0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    answers,
    requests,
    bodies,
    pulls,
    playPull: (next) => void (pullScript = { ...PLAIN_PULL, ...next }),
    play: (next) => void (script = { ...PLAIN_SCRIPT, ...next }),
    offer: (next) => void (models = next),
    close: () =>
      new Promise<void>((closed) => {
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };

  function counted(path: string): unknown {
    return path === '/v1/chat/completions/input_tokens' && script.counts !== null
      ? { object: 'response.input_tokens', input_tokens: script.counts }
      : null;
  }

  function ollamaRoute(path: string, body: string): unknown {
    if (path === '/') return 'Ollama is running';
    if (path === '/v1/models') return ollama.v1Models(models);
    if (path === '/api/version') return { version: '0.13.0' };
    if (path === '/api/tags') return ollama.tags(models);
    if (path === '/api/ps') return ollama.ps(models, Date.now());
    const named = models.find((m) => m.name === nameIn(body));
    if (path === '/api/show') return named ? ollama.show(named) : 'unknown';
    if (path === '/api/pull') return 'pull';
    if (path === '/api/delete') {
      if (!named) return 'unknown';
      models = models.filter((m) => m !== named);
      return '';
    }
    if (path === '/api/generate') return load(nameIn(body), !/"keep_alive"\s*:\s*0\b/.test(body), body);
    // A request without messages loads the model, or with no time to stay unloads it.
    if (/"messages"\s*:\s*\[\]/.test(body))
      return load(nameIn(body), !/"keep_alive"\s*:\s*0\b/.test(body), body);
    return path === '/api/chat' ? 'chat' : null;
  }

  async function pull(response: http.ServerResponse, name: string): Promise<void> {
    const trace: PullTrace = { name, from: parts.get(name) ?? 0, closedByClient: false, done: false };
    pulls.push(trace);
    const pulled = await answerPull(response, name, pullScript, parts, trace);
    if (!pulled || models.some((model) => model.name === name)) return;
    const digest = Buffer.from(name.padEnd(32, '.')).toString('hex').slice(0, 64);
    models = [...models, { ...PLAIN_MODEL, name, digest, loaded: null }];
  }

  function load(name: string, loads: boolean, body: string): unknown {
    const context = Number(/"num_ctx"\s*:\s*(\d+)/.exec(body)?.[1] ?? 8192);
    // 300 years stand for ever.
    const forSeconds = /"keep_alive"\s*:\s*"?-1/.test(body) ? 300 * 365 * 86_400 : 299;
    models = models.map((model) => {
      if (model.name !== name) return model;
      const loaded = { context, sizeBytes: model.memoryBytes ?? 2_000_000_000, vramBytes: 0, forSeconds };
      return { ...model, loaded: loads ? loaded : null };
    });
    const message = { role: 'assistant', content: '' };
    return { model: name, message, done: true, done_reason: loads ? 'load' : 'unload' };
  }

  function llamaCppRoute(path: string, _body: string): unknown {
    const busy = Math.min(slots, answers.filter((a) => !a.done || systemMs() < a.worksUntil).length);
    const model = models[0] ?? PLAIN_MODEL;
    if (path === '/health') return { status: 'ok' };
    if (path === '/v1/models' || path === '/models') return llamaCpp.models(models);
    if (path === '/props') return llamaCpp.props(model, slots);
    if (path === '/slots') return llamaCpp.slots(model, slots, busy);
    if (path === '/metrics') return llamaCpp.metrics(busy, 0);
    return path === '/v1/chat/completions' ? 'chat' : null;
  }
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function nameIn(body: string): string {
  return /"model"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(body)?.[1] ?? PLAIN_MODEL.name;
}

/** Most tokens of an answer, as the request has it. */
function limitIn(body: string): number {
  return Number(/"(?:num_predict|max_tokens)"\s*:\s*(\d+)/.exec(body)?.[1] ?? Infinity);
}

function reply(response: http.ServerResponse, status: number, body: unknown): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  response.writeHead(status, {
    'Content-Type': `${typeof body === 'string' ? 'text/plain' : 'application/json'}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}

/** Streams one answer. Pieces that are due go out one write each, as real servers do. */
async function answer(
  response: http.ServerResponse,
  kind: ScriptedServerOptions['kind'],
  asked: string,
  script: AnswerScript,
  answers: AnswerTrace[],
): Promise<void> {
  const model = nameIn(asked);
  const trace: AnswerTrace = {
    model,
    requestedAt: systemMs(),
    firstPieceAt: 0,
    lastPieceAt: 0,
    pieces: 0,
    closedByClientAt: null,
    done: false,
    worksUntil: 0,
  };
  answers.push(trace);
  response.on('close', () => {
    if (!trace.done) {
      trace.closedByClientAt = systemMs();
      trace.worksUntil = systemMs() + script.worksOnMs;
    }
    trace.done = true;
  });
  const pieces = typeof script.answer === 'number' ? script.answer : script.answer.length;
  const whole = script.thinking.length + pieces + (script.endMark === '' ? 0 : 1);
  const total = Math.min(whole, limitIn(asked));
  const reason = total < whole ? 'length' : 'stop';
  const pieceNumber = (i: number): { kind: 'content' | 'thinking'; text: string } => {
    if (i < script.thinking.length) return { kind: 'thinking', text: script.thinking[i] ?? '' };
    const n = i - script.thinking.length;
    if (n === pieces) return { kind: 'content', text: script.endMark };
    return {
      kind: 'content',
      text: typeof script.answer === 'number' ? pieceAt(n) : (script.answer[n] ?? ''),
    };
  };
  const figures = (): ChatFigures => ({
    promptTokens: script.promptTokens,
    cachedTokens: script.cachedTokens,
    promptMs: script.promptMs,
    loadMs: script.loadMs,
    answerTokens: trace.pieces,
    answerMs: trace.firstPieceAt === 0 ? 0 : systemMs() - trace.firstPieceAt,
  });

  if (script.refusal !== null) return reply(response, script.refusal.status, script.refusal.body);
  await pause(script.headAfterMs);
  response.writeHead(200, {
    'Content-Type': kind === 'ollama' ? 'application/x-ndjson' : 'text/event-stream',
  });
  response.flushHeaders();
  for (let step = 0; step < script.promptSteps; step += 1) {
    const processed = Math.round((script.promptTokens * (step + 1)) / script.promptSteps);
    await pause(script.promptMs / script.promptSteps);
    if (kind === 'llama.cpp') response.write(llamaCpp.progress(model, processed, figures()));
  }

  const startedAt = systemMs();
  while (trace.pieces < total && !trace.done) {
    if (script.failure !== null && trace.pieces >= script.failure.after)
      return fail(response, kind, script.failure.kind, trace);
    const due =
      script.tokensPerSecond === 0
        ? total
        : Math.min(total, Math.floor(((systemMs() - startedAt) * script.tokensPerSecond) / 1000) + 1);
    while (trace.pieces < due && (script.failure === null || trace.pieces < script.failure.after)) {
      const { kind: part, text } = pieceNumber(trace.pieces);
      trace.pieces += 1;
      trace.lastPieceAt = systemMs();
      if (trace.firstPieceAt === 0) trace.firstPieceAt = trace.lastPieceAt;
      const more = response.write(
        kind === 'ollama' ? ollama.piece(model, part, text) : llamaCpp.piece(model, part, text, figures()),
      );
      if (!more && script.tokensPerSecond === 0) await drained(response);
    }
    const untilNext = startedAt + (trace.pieces * 1000) / Math.max(1, script.tokensPerSecond) - systemMs();
    if (script.tokensPerSecond > 0) await pause(Math.max(1, untilNext));
  }
  if (trace.done) return;
  if (script.failure !== null) return fail(response, kind, script.failure.kind, trace);
  const end = kind === 'ollama' ? ollama.end : llamaCpp.end;
  response.end(end(model, figures(), reason), () => {
    trace.done = true;
  });
}

function fail(
  response: http.ServerResponse,
  kind: ScriptedServerOptions['kind'],
  how: 'cut' | 'no-end' | 'error' | 'hang',
  trace: AnswerTrace,
): void {
  const message = 'model runner has unexpectedly stopped';
  trace.done = how !== 'hang';
  // Node sends the writes of one turn of its loop together; a socket that is destroyed before that loses them.
  if (how === 'cut') setTimeout(() => response.socket?.destroy(), 5);
  if (how === 'no-end') response.end();
  if (how === 'error') {
    const error =
      kind === 'ollama' ? { error: message } : { error: { code: 500, message, type: 'server_error' } };
    response.end(kind === 'ollama' ? JSON.stringify(error) + '\n' : `data: ${JSON.stringify(error)}\n\n`);
  }
}

function pause(ms: number): Promise<void> {
  // The server itself keeps the process alive; nothing is waited for when it is closed.
  return ms <= 0 ? Promise.resolve() : new Promise((resume) => setTimeout(resume, ms).unref());
}

/** Until the socket takes more, or is gone. */
function drained(response: http.ServerResponse): Promise<void> {
  return new Promise((resume) => {
    const go = (): void => {
      response.off('drain', go);
      response.off('close', go);
      resume();
    };
    response.once('drain', go);
    response.once('close', go);
  });
}
