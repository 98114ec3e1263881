import { describe, expect, it } from '@jest/globals';
import { streamOutput } from '../../../src/terminal/output.js';
import { createWriter } from '../../../src/terminal/writer.js';
import { FakeStdout, HandClock } from '../../support/fake-streams.js';

function open(acknowledged = true) {
  const stdout = new FakeStdout(80, 24);
  const clock = new HandClock();
  const writer = createWriter({ clock, output: streamOutput(stdout), acknowledged, onClosed: () => {} });
  let writable = 0;
  writer.onWritable(() => writable++);
  return { stdout, clock, writer, writable: () => writable };
}

describe('the window', () => {
  it('two frames may be on their way, the third waits for an answer', () => {
    const { writer, stdout, writable } = open();
    writer.frame('one');
    expect(writer.ready()).toBe(true);
    writer.frame('two');
    expect(writer.ready()).toBe(false);
    expect(stdout.chunks).toEqual(['one\x1b[5n', 'two\x1b[5n']);
    expect(writable()).toBe(0);
    writer.acknowledge();
    expect(writable()).toBe(1);
    expect(writer.ready()).toBe(true);
    writer.acknowledge();
    expect(writable()).toBe(1);
  });

  it('a frame that the kernel has not taken yet holds back the next one, and nothing of it is dropped', () => {
    const { writer, stdout, writable } = open();
    stdout.automatic = false;
    writer.frame('one');
    expect(writer.ready()).toBe(false);
    stdout.take();
    expect(writable()).toBe(1);
    expect(writer.ready()).toBe(true);
  });
});

describe('a terminal that does not answer', () => {
  it('is written to after a second, at a lower rate and without questions', () => {
    const { writer, stdout, clock, writable } = open();
    writer.frame('one');
    writer.frame('two');
    expect(writer.ready()).toBe(false);
    clock.pass(999);
    expect(writable()).toBe(0);
    clock.pass(2);
    expect(writable()).toBe(1);
    writer.frame('three');
    expect(stdout.chunks.at(-1)).toBe('three');
    expect(writer.ready()).toBe(false);
    clock.pass(100);
    expect(writable()).toBe(2);
    expect(writer.unanswered).toBe(0);
  });

  it('is asked again once it does answer, and then given more time', () => {
    const { writer, stdout, clock } = open();
    writer.frame('one');
    writer.frame('two');
    clock.pass(2000);
    writer.acknowledge();
    writer.acknowledge();
    clock.pass(100);
    writer.frame('three');
    expect(stdout.chunks.at(-1)).toBe('three\x1b[5n');
    clock.pass(1500);
    writer.frame('four');
    expect(stdout.chunks.at(-1)).toBe('four\x1b[5n');
  });
});

describe('in tmux and screen', () => {
  it('no frame asks for an answer', () => {
    const { writer, stdout } = open(false);
    for (const frame of ['one', 'two', 'three']) {
      expect(writer.ready()).toBe(true);
      writer.frame(frame);
    }
    expect(stdout.chunks).toEqual(['one', 'two', 'three']);
  });
});

describe('synchronised output', () => {
  it('wraps frames of some size once the terminal said that it knows it', () => {
    const { writer, stdout } = open();
    writer.frame('x'.repeat(200));
    writer.useSynchronisedOutput();
    writer.acknowledge();
    writer.frame('y'.repeat(200));
    writer.acknowledge();
    writer.frame('z');
    expect(stdout.chunks).toEqual([
      `${'x'.repeat(200)}\x1b[5n`,
      `\x1b[?2026h${'y'.repeat(200)}\x1b[?2026l\x1b[5n`,
      'z\x1b[5n',
    ]);
  });
});
