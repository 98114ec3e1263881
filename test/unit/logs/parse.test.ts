import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LogLine } from '../../../src/domain/log.js';
import { createLineParser } from '../../../src/logs/parse.js';

const fixture = (name: string): LogLine[] => {
  const parse = createLineParser(name);
  const file = fileURLToPath(new URL(`../../fixtures/logs/${name}`, import.meta.url));
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((l) => l !== '')
    .map(parse);
};
const read = (line: string): LogLine => createLineParser('x')(line);

describe('reading a line of a log', () => {
  it('reads what Ollama writes', () => {
    const lines = fixture('ollama-serve.log');
    const listening = lines.find((l) => l.text.includes('Listening on'));
    expect(listening).toEqual({
      at: Date.parse('2026-11-23T20:48:41.594Z'),
      level: 'info',
      source: 'ollama-serve.log',
      text: 'Listening on 127.0.0.1:11434 (version 0.0.0)',
    });
    const config = lines.find((l) => l.text.startsWith('server config'));
    expect(config?.text).toMatch(/^server config env="map\[CUDA/);
    const post = lines.find((l) => l.text.includes('POST'));
    expect(post).toMatchObject({
      level: 'info',
      text: expect.stringMatching(/^\[GIN\] 201 \| [\d.]+ms \| 127/),
    });
    expect(post?.at).toBe(new Date(2026, 10, 23, 20, 48, 44).getTime());
    expect(lines.every((l) => l.level !== null || !/^time=/.test(l.text))).toBe(true);
  });

  it('reads what llama.cpp writes, alone and behind its router', () => {
    const server = fixture('llama-server.log');
    expect(server.filter((l) => l.level === 'info').length).toBeGreaterThan(20);
    expect(server.find((l) => l.text.includes('security'))?.level).toBe('warn');
    expect(server[0]).toMatchObject({
      at: null,
      text: expect.stringMatching(/^0\.00\.\d{3}\.\d{3} srv {2}llama_server: init/),
    });
    expect(fixture('llama-router.log').find((l) => l.text.startsWith('[46557] 0.00'))?.level).toBe('info');
  });

  it.each<[string, string, number | null, string]>([
    [
      '{"time":"2026-01-02T03:04:05.006Z","level":"warn","message":"slow","ms":12}',
      'warn',
      Date.UTC(2026, 0, 2, 3, 4, 5, 6),
      'slow ms=12',
    ],
    ['{"level":50,"time":1700000000000,"msg":"pino"}', 'error', 1_700_000_000_000, 'pino'],
    ['{"ts":1700000000.5,"level":"debug","event":"tick"}', 'debug', 1_700_000_000_500, 'tick'],
    ['2026-01-02T03:04:05Z ERROR boom', 'error', Date.UTC(2026, 0, 2, 3, 4, 5), 'ERROR boom'],
    ['[2026-01-02 03:04:05.250+01:00] [info] hi', 'info', Date.UTC(2026, 0, 2, 2, 4, 5, 250), '[info] hi'],
    [
      '2026-01-02 03:04:05,123 - app.core - WARNING - careful',
      'warn',
      new Date(2026, 0, 2, 3, 4, 5, 123).getTime(),
      'app.core - WARNING - careful',
    ],
    [
      'INFO:     127.0.0.1:5000 - "GET / HTTP/1.1" 200 OK',
      'info',
      null,
      'INFO:     127.0.0.1:5000 - "GET / HTTP/1.1" 200 OK',
    ],
    [
      '(APIServer pid=7) INFO 11-23 20:48:41 [api.py:12] up',
      'info',
      null,
      '(APIServer pid=7) INFO 11-23 20:48:41 [api.py:12] up',
    ],
    ['Error: it broke', 'error', null, 'Error: it broke'],
    ['ValueError: bad shape', 'error', null, 'ValueError: bad shape'],
    ['panic: runtime error', 'error', null, 'panic: runtime error'],
  ])('reads %s', (raw, level, at, text) => expect(read(raw)).toEqual({ at, level, source: 'x', text }));

  it.each([
    'no error was found',
    'more information follows',
    '{"half":',
    '{}',
    '',
    '[1,2]',
    'time=',
    'time=x level=Y msg="open',
    '[GIN]',
    '9999-99-99T99:99:99Z x',
  ])('takes nothing from %j', (raw) => {
    expect(read(raw)).toMatchObject({ at: null, level: null });
  });

  it('gives a stack trace the level of its message', () => {
    const parse = createLineParser('x');
    expect(
      [parse('2026-01-02T03:04:05Z ERROR boom'), parse('    at f (a.js:1)'), parse('plain')].map(
        (l) => l.level,
      ),
    ).toEqual(['error', 'error', null]);
  });

  it('lets nothing through that moves the cursor, also from escapes in JSON and quotes', () => {
    for (const raw of [
      '\x1b[31mred\x1b[0m',
      '{"msg":"a\\u001b[2Jb"}',
      'time=2026-01-02T03:04:05Z level=INFO msg="x\\u001b]52;c;AAAA\\u0007y"',
      '\x1b[32mINFO\x1b[0m: ok',
    ])
      expect(read(raw).text).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    expect(read('\x1b[32mINFO\x1b[0m: ok').level).toBe('info');
  });

  it('never throws and stays fast on noise', () => {
    const start = performance.now();
    let seed = 1;
    for (let i = 0; i < 3000; i++) {
      let text = '';
      for (let j = 0; j < 60; j++) {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        text += String.fromCharCode(seed % 300);
      }
      read(text);
      read(`{${text}`);
      read(`time=${text}`);
    }
    for (const c of ['[', '"', '\\', ' ', '-', 'a', '{"a":'])
      read(`time=x level=INFO msg="${c.repeat(65_000)}`);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});
