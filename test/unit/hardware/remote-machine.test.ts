import { describe, expect, it } from '@jest/globals';
import { machineName } from '../../../src/domain/machine-name.js';
import { parseMachine } from '../../../src/hardware/remote-machine.js';

describe('the machine of a server in its configuration', () => {
  it.each([
    ['ssh:gpu-box', 'gpu-box', 'gpu-box'],
    ['ssh:me@gpu-box.lan', 'me@gpu-box.lan', 'gpu-box.lan'],
    ['ssh://10.0.0.7', '10.0.0.7', '10.0.0.7'],
    [' ssh:fe80::1 ', 'fe80::1', 'fe80::1'],
  ])('%s is a host for ssh', (text, host, name) => {
    expect(parseMachine(text)).toEqual({ kind: 'ssh', host });
    expect(machineName(text)).toBe(name);
  });

  it.each([
    'ssh:',
    'ssh:-oProxyCommand=touch /tmp/x',
    'ssh:-lroot',
    'ssh:a b',
    'ssh:a;b',
    'ssh:$(x)',
    'ssh:me@-x',
    'ssh:`x`',
    'ssh:a\nb',
    'ftp://gpu-box',
    'http://me:secret@gpu-box:9100',
    'http://',
    '',
    ' , ',
  ])('%j is refused with the next step', (text) => {
    expect(parseMachine(text)).toMatchObject({
      kind: 'invalid',
      reason: expect.stringMatching(/^machine: /),
      hint: expect.stringContaining('ssh:gpu-box'),
    });
    expect(JSON.stringify(parseMachine('http://me:secret@gpu-box,ftp://x'))).not.toContain('undefined');
  });

  it('is one or several addresses of metrics, whose path is usually left out', () => {
    expect(parseMachine('http://gpu-box:9100, gpu-box:9400/metrics,http://gpu-box:9100/metrics')).toEqual({
      kind: 'prometheus',
      urls: ['http://gpu-box:9100/metrics', 'http://gpu-box:9400/metrics'],
    });
    expect(parseMachine('https://gpu-box/node?x=1')).toEqual({
      kind: 'prometheus',
      urls: ['https://gpu-box/node?x=1'],
    });
    expect(machineName('http://gpu-box:9100/metrics,http://other:1')).toBe('gpu-box');
    expect(machineName('http://[fe80::1]:9100/metrics')).toBe('fe80::1');
  });
});
