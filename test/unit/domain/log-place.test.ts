import { describe, expect, it } from '@jest/globals';
import { placeName, placeText, readPlace } from '../../../src/domain/log-place.js';

describe('a place of a log', () => {
  it.each([
    ['journald:ollama', { via: 'journald', unit: 'ollama', user: false }, 'ollama'],
    ['journald:user/llama.service', { via: 'journald', unit: 'llama.service', user: true }, 'llama'],
    ['docker:my-ollama_1', { via: 'docker', container: 'my-ollama_1' }, 'my-ollama_1'],
    ['podman:x', { via: 'podman', container: 'x' }, 'x'],
    ['lms:server', { via: 'lms', stream: 'server' }, 'lmstudio'],
    ['cmd:tail -F /a/b.log | grep x', { via: 'command', command: 'tail -F /a/b.log | grep x' }, 'tail'],
    ['/var/log/a:b.log', { via: 'file', path: '/var/log/a:b.log' }, 'a:b.log'],
    ['./docker:x', { via: 'file', path: './docker:x' }, 'docker:x'],
    ['C:\\logs\\server.log', { via: 'file', path: 'C:\\logs\\server.log' }, 'server.log'],
    [
      'ssh:me@gpu-box:journald:ollama',
      { via: 'ssh', host: 'me@gpu-box', place: { via: 'journald', unit: 'ollama', user: false } },
      'gpu-box:ollama',
    ],
    [
      'ssh:[fe80::1]:/var/log/x.log',
      { via: 'ssh', host: '[fe80::1]', place: { via: 'file', path: '/var/log/x.log' } },
      '[fe80::1]:x.log',
    ],
  ])('reads %s, and writes it the same way', (text, place, name) => {
    const read = readPlace(text);
    expect(read).toEqual({ ok: true, place });
    if (!read.ok) return;
    expect(placeText(read.place)).toBe(text);
    expect(placeName(read.place)).toBe(name);
  });

  it.each([
    '',
    'journald:',
    'journald:-f',
    'journald:a b',
    'docker:--help',
    'docker:a;rm -rf x',
    'podman:$(x)',
    'lms:all',
    'cmd: ',
    'ssh:-oProxyCommand=x:/a',
    'ssh:host',
    'ssh:a b:/x',
    'ssh:a:ssh:b:/x',
    'ssh:a:docker:-x',
    'a\0b',
  ])('refuses %j and says why', (text) => {
    expect(readPlace(text)).toEqual({ ok: false, reason: expect.stringMatching(/\w/) });
  });
});
