import { describe, expect, it } from '@jest/globals';
import { createRedactor, REDACTED } from '../../../src/logs/redact.js';
import { bounded } from '../../support/bounded.js';

const redactor = createRedactor(['hunter2-is-the-key']);

describe('redaction', () => {
  it.each([
    ['Authorization: Bearer abcdef123456', 'abcdef123456'],
    ['authorization: Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
    ['key sk-proj-abcdefgh12345678 used', 'sk-proj-abcdefgh12345678'],
    ['hf_abcdefghijklmnop', 'hf_abcdefghijklmnop'],
    ['http://user:secret9@host:1/v1', 'secret9'],
    ['http://tokenonly12345@host/v1', 'tokenonly12345'],
    ['GET /v1?api_key=abc123xyz&x=1', 'abc123xyz'],
    ['{"api_key": "abc 123"}', 'abc 123'],
    ['OPENAI_API_KEY=zzz999', 'zzz999'],
    ["password: 'opensesame'", 'opensesame'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc', 'eyJhbGciOiJIUzI1NiJ9'],
    ['the key is hunter2-is-the-key.', 'hunter2'],
  ])('hides the secret in %s', (text, secret) => {
    const out = redactor.text(text);
    expect(out).not.toContain(secret);
    expect(out).toContain(REDACTED);
  });

  it.each([
    'prompt eval 275 tokens, 5.55 ms per token',
    'token: 5, max_tokens: 100',
    'task-skipped desk-job',
    'see http://127.0.0.1:8181/a@b',
    'the monkey: banana',
    'basic settings of the model',
  ])('leaves %s as it is', (text) => expect(redactor.text(text)).toBe(text));

  it('keeps the rest of an address and of a query', () => {
    expect(redactor.text('http://u:p@h:1/x?key=1&api_key=abcdef&y=2')).toBe(
      `http://${REDACTED}@h:1/x?key=1&api_key=${REDACTED}&y=2`,
    );
  });

  it('hides fields by name at any depth and keeps their like', () => {
    const out = redactor.value({
      backend: { headers: { Authorization: 'x', 'x-api-key': ['y'], Cookie: 'z' }, key: 'k', apiKey: 'a' },
      list: [{ password: 'p', token: 't', accessToken: 'q' }],
      tokens: 12,
      modelKey: 'ollama/llama3',
      token: 7,
    });
    expect(out).toEqual({
      backend: {
        headers: { Authorization: REDACTED, 'x-api-key': REDACTED, Cookie: REDACTED },
        key: REDACTED,
        apiKey: REDACTED,
      },
      list: [{ password: REDACTED, token: REDACTED, accessToken: REDACTED }],
      tokens: 12,
      modelKey: 'ollama/llama3',
      token: 7,
    });
  });

  it('writes an error with code, stack and causes, redacted', () => {
    const cause = Object.assign(new Error('connect to http://u:pw@h'), { code: 'ECONNREFUSED' });
    const out = redactor.value(new TypeError('asking failed', { cause }));
    expect(out).toMatchObject({
      name: 'TypeError',
      message: 'asking failed',
      cause: { code: 'ECONNREFUSED', message: `connect to http://${REDACTED}@h` },
    });
    expect((out as { stack: string }).stack).toContain('redact.test');
  });

  it('survives cycles, depth, size, getters that throw and odd values', () => {
    const circle: Record<string, unknown> = {
      big: 1n,
      not: NaN,
      f: () => 1,
      bytes: new Uint8Array(9),
      map: new Map([['password', 'x']]),
      at: new Date(0),
    };
    circle['self'] = circle;
    let deep: unknown = 'end';
    for (let i = 0; i < 100; i++) deep = { deep };
    const broken = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const out = redactor.value({
      circle,
      deep,
      broken,
      long: 'x'.repeat(1e6),
      many: new Array(1000).fill(1),
    });
    const text = JSON.stringify(out);
    expect(text.length).toBeLessThan(40_000);
    expect(out).toMatchObject({
      circle: {
        self: '[circular]',
        big: '1',
        not: 'NaN',
        bytes: '[9 bytes]',
        map: { password: REDACTED },
        at: '1970-01-01T00:00:00.000Z',
      },
      broken: '[unreadable]',
    });
  });

  it('takes linear time for hostile text', () => {
    for (const text of [
      'token'.repeat(400_000),
      'a-'.repeat(800_000) + 'token',
      'http://' + 'a'.repeat(1_600_000),
      'key='.repeat(400_000),
      'bearer '.repeat(200_000),
      'eyJ'.repeat(500_000),
    ])
      bounded(() => redactor.text(text));
  });

  it('does not take short texts for secrets', () => {
    expect(createRedactor(['abc']).text('abc')).toBe('abc');
  });
});
