// Eight servers in a process of their own, most of them bad: three hang, two come and go, one sends lists of 5 MB, two are as they should be.
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What one server saw of its client. */
export interface CrowdReport {
  readonly kind: string;
  readonly requests: number;
  /** Most connections at one time. */
  readonly mostSockets: number;
  /** How often a question came while the same one was not answered yet. */
  readonly overlaps: number;
}

const LIST_BYTES = 5_000_000;
const FLAP_MS = 4_000;
const KINDS = ['hangs', 'hangs', 'hangs', 'flaps', 'flaps', 'long list', 'good', 'good'] as const;
type Kind = (typeof KINDS)[number];

class CrowdServer {
  readonly #kind: Kind;
  readonly #server: http.Server;
  readonly #sockets = new Set<Socket>();
  readonly #asked = new Map<string, number>();
  readonly #models: string;
  #port = 0;
  #requests = 0;
  #mostSockets = 0;
  #overlaps = 0;

  constructor(kind: Kind, index: number) {
    this.#kind = kind;
    this.#models = modelList(kind === 'long list' ? LIST_BYTES : 200, index);
    this.#server = http.createServer((request, response) => this.#onRequest(request, response));
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      this.#mostSockets = Math.max(this.#mostSockets, this.#sockets.size);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('error', () => undefined);
  }

  async start(): Promise<string> {
    await this.#listen();
    if (this.#kind === 'flaps') setInterval(() => void this.#flap(), FLAP_MS);
    return `http://127.0.0.1:${this.#port}`;
  }

  get report(): CrowdReport {
    return {
      kind: this.#kind,
      requests: this.#requests,
      mostSockets: this.#mostSockets,
      overlaps: this.#overlaps,
    };
  }

  #listen(): Promise<void> {
    return new Promise((resolve) =>
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      }),
    );
  }

  async #flap(): Promise<void> {
    if (!this.#server.listening) return this.#listen();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #onRequest(request: http.IncomingMessage, response: http.ServerResponse): void {
    const question = `${request.method} ${request.url}`;
    this.#requests += 1;
    const before = this.#asked.get(question) ?? 0;
    if (before > 0) this.#overlaps += 1;
    this.#asked.set(question, before + 1);
    response.on('close', () => this.#asked.set(question, (this.#asked.get(question) ?? 1) - 1));
    if (this.#kind === 'hangs') return;
    const list = request.url === '/v1/models';
    response.writeHead(list ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(list ? this.#models : '{"error":{"message":"not found"}}');
  }
}

/** A list of about so many bytes, changed a little from server to server. */
function modelList(bytes: number, index: number): string {
  const data: unknown[] = [];
  for (let size = 0, i = 0; size < bytes; i += 1) {
    const item = { id: `crowd-${index}-${i}`, object: 'model', owned_by: 'bench', note: 'x'.repeat(150) };
    data.push(item);
    size += JSON.stringify(item).length + 1;
  }
  return JSON.stringify({ object: 'list', data });
}

const crowd = KINDS.map((kind, index) => new CrowdServer(kind, index));
const urls = await Promise.all(crowd.map((server) => server.start()));
process.on('message', () => process.send?.({ reports: crowd.map(({ report }) => report) }));
process.on('disconnect', () => process.exit(0));
process.send?.({ urls });
