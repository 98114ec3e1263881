import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type FileReply = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** A real HTTP server of files. A test scripts each answer to a path; the last one stays. */
export class FileServer {
  readonly requests: { readonly path: string; readonly headers: IncomingMessage['headers'] }[] = [];
  readonly #server: http.Server;
  readonly #replies = new Map<string, FileReply[]>();

  private constructor(server: http.Server) {
    this.#server = server;
    server.on(
      'request',
      (request: IncomingMessage, response: ServerResponse) => void this.#answer(request, response),
    );
    server.unref();
  }

  static async start(): Promise<FileServer> {
    const server = http.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FileServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The same server under another origin. */
  get otherUrl(): string {
    return `http://localhost:${this.port}`;
  }

  reply(path: string, ...replies: readonly FileReply[]): this {
    this.#replies.set(path, [...replies]);
    return this;
  }

  seen(path: string): readonly FileServer['requests'][number][] {
    return this.requests.filter((request) => request.path === path);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    this.requests.push({ path, headers: request.headers });
    const replies = this.#replies.get(path) ?? [];
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (reply) await reply(request, response);
    else response.writeHead(404).end('not found');
  }
}

/** Serves bytes as a good server does, with Range and If-Range. */
export function file(bytes: Buffer, { etag = '"v1"' }: { readonly etag?: string | null } = {}): FileReply {
  return (request, response) => {
    const headers: Record<string, string> = { 'accept-ranges': 'bytes', ...(etag === null ? {} : { etag }) };
    const from = rangeOf(request, etag);
    if (from === null) {
      response.writeHead(200, { ...headers, 'content-length': String(bytes.length) }).end(bytes);
    } else if (from >= bytes.length) {
      response.writeHead(416, { ...headers, 'content-range': `bytes */${bytes.length}` }).end();
    } else {
      const part = bytes.subarray(from);
      headers['content-range'] = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
      response.writeHead(206, { ...headers, 'content-length': String(part.length) }).end(part);
    }
  };
}

/** Says that the whole file comes (or the asked part), sends only so many bytes of it, and breaks off. */
export function broken(
  bytes: Buffer,
  sent: number,
  { etag = '"v1"' }: { readonly etag?: string | null } = {},
): FileReply {
  return (request, response) => {
    const from = rangeOf(request, etag) ?? 0;
    response.writeHead(from > 0 ? 206 : 200, {
      ...(etag === null ? {} : { etag }),
      'content-length': String(bytes.length - from),
      ...(from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
    });
    response.write(bytes.subarray(from, from + sent), () => setImmediate(() => response.destroy()));
  };
}

export function json(value: unknown): FileReply {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  };
}

export function status(code: number, body = '', headers: Readonly<Record<string, string>> = {}): FileReply {
  return (_request, response) => {
    response.writeHead(code, headers).end(body);
  };
}

export function redirect(to: string, headers: Readonly<Record<string, string>> = {}): FileReply {
  return status(302, '', { location: to, ...headers });
}

function rangeOf({ headers }: IncomingMessage, etag: string | null): number | null {
  const from = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
  const condition = headers['if-range'];
  if (from === undefined || (condition !== undefined && condition !== etag)) return null;
  return Number(from);
}
