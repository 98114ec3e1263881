import fs from 'node:fs';
import path from 'node:path';

/** Programs that behave like servers of that name, as far as a dashboard asks them when they start. */
const OLLAMA = `
const http = require('node:http');
const [host, port] = process.env.OLLAMA_HOST.split(':');
console.log('time=2026-11-29T03:00:00Z level=INFO source=routes.go:1 msg="Listening on ' + host + ':' + port + '"');
const model = { name: 'tiny:1b', model: 'tiny:1b', size: 1e6, digest: 'a'.repeat(64), details: { family: 'llama' } };
const answers = {
  '/': 'Ollama is running',
  '/api/version': { version: '0.13.0' },
  '/api/tags': { models: [model] },
  '/api/ps': { models: [] },
  '/v1/models': { object: 'list', data: [{ id: 'tiny:1b', object: 'model', created: 1, owned_by: 'library' }] },
};
http.createServer((request, response) => {
  const answer = answers[request.url];
  response.statusCode = answer === undefined ? 404 : 200;
  response.setHeader('content-type', 'application/json');
  response.end(typeof answer === 'string' ? answer : JSON.stringify(answer ?? { error: 'not found' }));
}).listen(Number(port), host);
`;

const LLAMA_SERVER = `
const at = (name) => process.argv[process.argv.indexOf(name) + 1];
const http = require('node:http');
console.log('main: loading model ' + at('-m'));
const model = { id: at('-m'), object: 'model', created: 1, owned_by: 'llamacpp', meta: { n_ctx_train: 8192 } };
const answers = {
  '/health': { status: 'ok' },
  '/props': { total_slots: 1, model_path: at('-m'), build_info: 'b1-fake', default_generation_settings: { n_ctx: 1024 } },
  '/v1/models': { object: 'list', data: [model] },
};
http.createServer((request, response) => {
  const answer = answers[request.url];
  response.statusCode = answer === undefined ? 404 : 200;
  response.setHeader('content-type', 'application/json');
  response.setHeader('server', 'llama.cpp');
  response.end(JSON.stringify(answer ?? { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } }));
}).listen(Number(at('--port')), at('--host'));
`;

const FAILING = `
console.error('loading');
console.error('Error: listen tcp 127.0.0.1: bind: address already in use');
process.exit(1);
`;

/** Loads for ever, and listens nowhere meanwhile. */
const SILENT = `
console.log('waiting for a long time');
setInterval(() => undefined, 1000);
`;

const CODES = {
  ollama: OLLAMA,
  'llama-server': LLAMA_SERVER,
  'failing ollama': FAILING,
  'silent ollama': SILENT,
} as const;

/** Puts stand-ins for server programs into a folder; gives the PATH that finds them. */
export function fakeServers(folder: string, programs: readonly (keyof typeof CODES)[]): string {
  fs.mkdirSync(folder, { recursive: true });
  for (const program of programs) {
    const file = path.join(folder, program.replace(/^(failing|silent) /, ''));
    fs.writeFileSync(file, `#!${process.execPath}\n${CODES[program]}`, { mode: 0o755 });
  }
  return `${folder}${path.delimiter}${process.env['PATH'] ?? ''}`;
}
