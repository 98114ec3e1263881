import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LogLine } from '../../../src/domain/log.js';
import { createLineParser, type LineParserOptions } from '../../../src/logs/parse.js';
import { bounded } from '../../support/bounded.js';

/** Somebody reads it two seconds after it was written. */
const NOW = new Date(2026, 10, 23, 20, 48, 43).getTime();
const parserOf =
  (source: string, options: LineParserOptions = {}): ((raw: string) => LogLine) =>
  (raw) => {
    const parser = createLineParser(source, options);
    const [line] = parser.parse([raw], NOW, false);
    if (!line) throw new Error('no line');
    return line;
  };
const fixture = (name: string): LogLine[] => {
  const parse = parserOf(name);
  const file = fileURLToPath(new URL(`../../fixtures/logs/${name}`, import.meta.url));
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((l) => l !== '')
    .map(parse);
};
const read = (line: string): LogLine => parserOf('x')(line);

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

  it.each<[string, string | null, number | null, string]>([
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
      new Date(2026, 10, 23, 20, 48, 41).getTime(),
      '(APIServer pid=7) [api.py:12] up',
    ],
    [
      'WARNING 11-25 20:48:41 [a.py:1] of the year before',
      'warn',
      new Date(2025, 10, 25, 20, 48, 41).getTime(),
      '[a.py:1] of the year before',
    ],
    [
      'Nov 23 20:48:41 INFO  Starting LocalAI threads=16',
      'info',
      new Date(2026, 10, 23, 20, 48, 41).getTime(),
      'INFO  Starting LocalAI threads=16',
    ],
    ['8:48PM ERR Failed to load', 'error', new Date(2026, 10, 23, 20, 48).getTime(), 'ERR Failed to load'],
    ['12:47AM DBG at night', 'debug', new Date(2026, 10, 23, 0, 47).getTime(), 'DBG at night'],
    [
      '20:48:41 - LiteLLM Proxy:ERROR: proxy_server.py:12 - boom',
      'error',
      new Date(2026, 10, 23, 20, 48, 41).getTime(),
      'LiteLLM Proxy:ERROR: proxy_server.py:12 - boom',
    ],
    [
      '[2026-11-23 20:48:41][WARN][LM STUDIO SERVER] slow',
      'warn',
      new Date(2026, 10, 23, 20, 48, 41).getTime(),
      '[WARN][LM STUDIO SERVER] slow',
    ],
    [
      'Nov 23 20:48:42 box ollama[12]: time=2026-11-23T20:48:41Z level=WARN source=a.go:1 msg="low memory" free=1',
      'warn',
      new Date(2026, 10, 23, 20, 48, 42).getTime(),
      'low memory free=1',
    ],
    [
      '2026/01/02 03:04:05 images.go:808: total blobs: 0',
      null,
      new Date(2026, 0, 2, 3, 4, 5).getTime(),
      'images.go:808: total blobs: 0',
    ],
    [
      '2026/01/02 03:04:05 [error] 7#7: upstream timed out',
      'error',
      new Date(2026, 0, 2, 3, 4, 5).getTime(),
      '[error] 7#7: upstream timed out',
    ],
    ['2026-01-02 03:04:05.5 +0000 UTC ready', null, Date.UTC(2026, 0, 2, 3, 4, 5, 500), 'ready'],
    [
      'time="2026-01-02T03:04:05Z" level=error msg="of \\"logrus\\"" a=1',
      'error',
      Date.UTC(2026, 0, 2, 3, 4, 5),
      'of "logrus" a=1',
    ],
    ['{"type":"log","level":"error","msg":"of llama.cpp"}', 'error', null, 'of llama.cpp'],
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
    const raws = ['2026-01-02T03:04:05Z ERROR boom', '    at f (a.js:1)', 'plain'];
    expect(
      createLineParser('x')
        .parse(raws, NOW, false)
        .map((l) => l.level),
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

  it('opens what the journal and docker put around a line', () => {
    const journal = (fields: object): LogLine =>
      parserOf('u', { envelope: 'journald' })(
        JSON.stringify({ __REALTIME_TIMESTAMP: '1764000000123456', ...fields }),
      );
    const at = 1_764_000_000_123;
    expect(journal({ PRIORITY: '3', MESSAGE: 'plain' })).toEqual({
      at,
      level: 'error',
      source: 'u',
      text: 'plain',
    });
    expect(journal({ PRIORITY: '6', MESSAGE: 'time=2026-01-02T03:04:05Z level=WARN msg=hi' })).toMatchObject({
      at,
      level: 'warn',
      text: 'hi',
    });
    expect(journal({ MESSAGE: [104, 105, 27, 91, 50, 74, 255] }).text).toBe('hi\ufffd');
    expect(journal({ MESSAGE: null }).text).toBe('');
    const cut = parserOf('u', { envelope: 'journald' })('{"PRIORITY":"6","MESSAGE":"half a mess … (cut)');
    expect(cut.text).toBe('half a mess … (cut)');
    expect(parserOf('d', { envelope: 'docker' })('2026-11-23T20:48:41.123456789Z ERROR: no')).toEqual({
      at: Date.UTC(2026, 10, 23, 20, 48, 41, 123),
      level: 'error',
      source: 'd',
      text: 'ERROR: no',
    });
  });

  it('knows behind which line the journal and docker go on', () => {
    const journal = createLineParser('u', { envelope: 'journald' });
    journal.parse(
      ['{"__CURSOR":"s=1;i=2","MESSAGE":"a"}', '{"__CURSOR":"s=1;i=3 --x","MESSAGE":"b"}'],
      NOW,
      true,
    );
    expect(journal.place).toBe('s=1;i=2');
    const docker = createLineParser('d', { envelope: 'docker' });
    docker.parse(['2026-11-23T20:48:41.1Z a', 'Error response from daemon'], NOW, true);
    expect(docker.place).toBe('2026-11-23T20:48:41.1Z');
  });

  it('finds the request that a line is about', () => {
    const ids = [
      '0.04.021.086 I slot launch_slot_: id  1 | task 27 | processing task',
      '(APIServer pid=9) INFO 02-13 11:33:33 [async_llm.py:382] Added request chatcmpl-a269fdcb7c6ce890-a8a65d16.',
      'failed request_id=ab-12:3 status=500',
      '{"msg":"x","correlationID":"c0ffee"}',
      '0.06.810.495 E srv    send_error: task id = 38, error: request (3031 tokens) exceeds',
      '0.06.810.563 W srv          stop: cancel task, id_task = 38',
      'id=5 nothing',
    ].map((raw) => read(raw).requestId);
    expect(ids).toEqual([
      'task 27',
      'chatcmpl-a269fdcb7c6ce890',
      'ab-12:3',
      'c0ffee',
      'task 38',
      'task 38',
      undefined,
    ]);
  });

  it('counts the time of llama.cpp from when its last line was written, and knows nothing of a run before', () => {
    const parser = createLineParser('l');
    const at = (raws: readonly string[], by: number, exactly = true): (number | null)[] =>
      parser.parse(raws, by, exactly).map((line) => line.at);
    const by = 1_000_000_000;
    expect(at(['9.00.000.000 I old', '0.01.000.000 I a', '0.03.500.000 I b'], by)).toEqual([
      null,
      by - 2500,
      by,
    ]);
    // Seen late: the earliest start that fits is kept.
    expect(at(['0.04.500.000 I c'], by + 1900)).toEqual([by + 1000]);
    // Started anew.
    expect(at(['0.00.100.000 I d'], by + 60_000)).toEqual([by + 60_000]);
    expect(createLineParser('m').parse(['0.04.500.000 I c'], by, false)[0]?.at).toBeNull();
  });

  it('never throws on noise, and takes linear time', () => {
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
      bounded(() => read(`time=x level=INFO msg="${c.repeat(2_000_000)}`));
  });
});
