import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';

/** A request as it came in. */
export interface RawRequest {
  readonly method: string;
  /** Path and query as sent. */
  readonly target: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Resolves with the monotonic time at which the client closed the connection. */
  readonly closed: Promise<number>;
}

/** Writes one answer to the socket. */
export type RawReply = (socket: Socket, request: RawRequest) => void | Promise<void>;

/** What happens after the last packet. `fin`: orderly close, `rst`: reset, `open`: nothing. */
export type RawEnd = 'fin' | 'rst' | 'open';

/**
 * A server on a raw TCP socket: the test decides over every byte, every border of packets and the way in which the connection ends.
 * Replies are found by `METHOD /path` or `/path` without the query; a list of replies is used up one by one, its last one stays.
 */
export class RawServer {
  readonly requests: RawRequest[] = [];
  readonly url: string;
  readonly port: number;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #replies = new Map<string, RawReply[]>();

  #greeting: string | null = null;
  #otherwise: RawReply = status(404, '404 page not found');

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.url = `http://127.0.0.1:${this.port}`;
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async start(port = 0): Promise<RawServer> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    // A server that a failed test has left open must not keep the run from ending.
    server.unref();
    return new RawServer(server);
  }

  reply(where: string, ...replies: readonly RawReply[]): this {
    this.#replies.set(where, [...replies]);
    return this;
  }

  /** What all other paths get. */
  otherwise(reply: RawReply): this {
    this.#otherwise = reply;
    return this;
  }

  /** From now on every connection is answered with this at its first byte, whatever it is. */
  greet(answer: string): this {
    this.#greeting = answer;
    return this;
  }

  /** The requests to one path, without the query. */
  seen(path: string): readonly RawRequest[] {
    return this.requests.filter((request) => request.target.split('?')[0] === path);
  }

  /** Resolves when the n-th request (from 1) to a path has come in. */
  async waitFor(path: string, count = 1): Promise<RawRequest> {
    for (;;) {
      const request = this.seen(path)[count - 1];
      if (request !== undefined) return request;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    const closed = new Promise<number>((resolve) => {
      socket.once('end', () => resolve(performance.now()));
      socket.once('close', () => {
        this.#sockets.delete(socket);
        resolve(performance.now());
      });
    });
    socket.on('error', () => undefined);
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      if (this.#greeting !== null) {
        socket.end(this.#greeting);
        return;
      }
      received = Buffer.concat([received, bytes]);
      for (
        let parsed = parseRequest(received, closed);
        parsed !== null;
        parsed = parseRequest(received, closed)
      ) {
        received = received.subarray(parsed.length);
        this.requests.push(parsed.request);
        void this.#answer(socket, parsed.request);
      }
    });
  }

  async #answer(socket: Socket, request: RawRequest): Promise<void> {
    const path = request.target.split('?')[0] ?? '';
    const replies = this.#replies.get(`${request.method} ${path}`) ?? this.#replies.get(path);
    const reply = replies === undefined ? this.#otherwise : replies.length > 1 ? replies.shift() : replies[0];
    await reply?.(socket, request);
  }
}

/** A whole answer with a JSON body, on a connection that stays open. */
export function json(body: unknown, code = 200, headers: Readonly<Record<string, string>> = {}): RawReply {
  return status(code, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers });
}

/** A whole answer with any body. */
export function status(
  code: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): RawReply {
  const bytes = Buffer.from(body as string);
  return (socket) => {
    socket.write(
      Buffer.concat([Buffer.from(head(code, { 'Content-Length': String(bytes.length), ...headers })), bytes]),
    );
  };
}

/** Bytes as they are, each in a packet of its own. */
export function packets(parts: readonly (string | Buffer)[], end: RawEnd = 'fin'): RawReply {
  return async (socket) => {
    for (const part of parts) {
      await write(socket, part);
    }
    finish(socket, end);
  };
}

/** An answer without a length that ends with the connection, as HTTP/1.0 has it. */
export function stream(
  parts: readonly (string | Buffer)[],
  options: {
    readonly type?: string | null;
    readonly end?: RawEnd;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): RawReply {
  const type = options.type === undefined ? 'text/event-stream' : options.type;
  const headers = {
    Connection: 'close',
    ...(type === null ? {} : { 'Content-Type': type }),
    ...options.headers,
  };
  return packets([head(200, headers), ...parts], options.end);
}

/** An answer in chunks; `whole` false leaves out the last chunk. */
export function chunked(
  parts: readonly string[],
  options: { readonly type?: string; readonly whole?: boolean; readonly end?: RawEnd } = {},
): RawReply {
  const chunks = parts.map((part) => `${Buffer.byteLength(part).toString(16)}\r\n${part}\r\n`);
  const begin = head(200, {
    'Content-Type': options.type ?? 'text/event-stream',
    'Transfer-Encoding': 'chunked',
  });
  return packets(
    [begin, ...chunks, ...(options.whole === false ? [] : ['0\r\n\r\n'])],
    options.end ?? 'open',
  );
}

/** Nothing at all. */
export const hang: RawReply = () => undefined;

export function head(code: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${code} Status\r\n${lines.join('')}\r\n`;
}

/** Writes one packet and waits until it has left. */
export async function write(socket: Socket, part: string | Buffer): Promise<void> {
  if (socket.destroyed) return;
  await new Promise<void>((resolve) => socket.write(part, () => resolve()));
  await new Promise((resolve) => setImmediate(resolve));
}

export function finish(socket: Socket, end: RawEnd): void {
  if (end === 'fin') socket.end();
  // The other side must have read what was sent: a reset throws away what still lies in its buffer.
  else if (end === 'rst') setTimeout(() => socket.resetAndDestroy(), 30);
}

function parseRequest(
  bytes: Buffer,
  closed: Promise<number>,
): { request: RawRequest; length: number } | null {
  const border = bytes.indexOf('\r\n\r\n');
  if (border === -1) return null;
  const [first = '', ...lines] = bytes.subarray(0, border).toString('latin1').split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const length = border + 4 + Number(headers.get('content-length') ?? 0);
  if (bytes.length < length) return null;
  const [method = '', target = ''] = first.split(' ');
  return {
    request: { method, target, headers, body: bytes.subarray(border + 4, length).toString('utf8'), closed },
    length,
  };
}
