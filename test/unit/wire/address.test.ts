import { describe, expect, it } from '@jest/globals';
import { backendId, parseAddress } from '../../../src/wire/address.js';

describe('addresses', () => {
  it.each([
    ['ollama+http://h:1', { kind: 'ollama', url: 'http://h:1' }],
    ['llama.cpp+http://127.0.0.1:8080/v1', { kind: 'llama.cpp', url: 'http://127.0.0.1:8080' }],
    ['openai+gpu-box', { kind: 'openai', url: 'http://gpu-box:99' }],
    ['HTTPS://Example.ORG/api/v1/', { kind: null, url: 'https://example.org/api' }],
    ['[fe80::1]:8080', { kind: null, url: 'http://[fe80::1]:8080' }],
    ['http://h/?key=1#x', { kind: null, url: 'http://h' }],
  ])('%s', (text, address) => {
    expect(parseAddress(text, 99)).toEqual(address);
  });

  it('an identity holds kind, host, port and prefix', () => {
    expect(backendId('ollama', 'http://127.0.0.1:11434')).toBe('ollama@127.0.0.1:11434');
    expect(backendId('openai', 'https://h/llm')).toBe('openai@h:443/llm');
    expect(backendId('openai', 'http://[::1]')).toBe('openai@[::1]:80');
  });
});
