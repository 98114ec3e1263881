import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { closeDashboards, startDashboard, type TestDashboard } from '../support/dashboard.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

const OTHER = { ...PLAIN_MODEL, name: 'other:7b', digest: `a${PLAIN_MODEL.digest.slice(1)}`, loaded: null };
const SLOW = { answer: 500, tokensPerSecond: 200 };

let server: ScriptedServer;
let at: TestDashboard;

beforeAll(async () => {
  server = await startScriptedServer({ kind: 'ollama', models: [PLAIN_MODEL, OTHER] });
});
afterAll(() => server.close());
beforeEach(async () => {
  server.play({});
  at = await startDashboard({ urls: [server.url] });
  await at.sees('scripted:1b · ollama');
});
afterEach(closeDashboards);

const answering = (): Promise<void> =>
  at.sees(() => /answer/.test(at.phaseBar()) && /Esc stop/.test(at.phaseBar()));
const idle = (): Promise<void> => at.sees(() => !/Esc stop/.test(at.phaseBar()));

describe('the first screen', () => {
  it('shows all panes, the model that will answer, and the cursor in the message box', async () => {
    await at.sees('RAM');
    for (const pane of ['╭ Models', '╭ Machine', '╭ new chat', '╭ Message', '╭ Log'])
      expect(at.screen()).toContain(pane);
    expect(at.screen()).toMatch(/▸● scripted:1b +1\.3 GB +[34]m \d\ds/);
    expect(at.screen()).toMatch(/other:7b +1\.3 GB +(fits|tight|-)/);
    expect(at.line(0)).toContain('of 64k (model 128k)');
    expect(at.phaseBar()).toMatch(/^ ready .*Ctrl\+O model/);
    await at.sees(() => at.cursor().visible && at.cursor().y === at.rowOf('Ask something'));
  });
});

describe('an answer', () => {
  it('streams through its phases, and its figures stay with it, in the bar and in the header', async () => {
    server.play({
      answer: 40,
      thinking: ['Let ', 'me ', 'think.'],
      tokensPerSecond: 100,
      headAfterMs: 60,
      promptTokens: 1200,
      endMark: ' END',
    });
    at.send('Why is the sky blue?');
    await at.sees(() => /thinking|answer/.test(at.phaseBar()));
    await answering();
    // Not known before the server has told its first figures.
    expect(at.line(0)).toContain('— of 64k');
    // The message is in the transcript and gone from the box.
    expect(at.rowOf('Why is the sky blue?')).toBeLessThan(at.rowOf('Message'));
    expect(at.screen()).toContain('Ask something');
    await at.sees('END');
    await idle();
    expect(at.screen()).toMatch(/44 tok · \d+\.?\d* tok\/s · first after [\d.]+ m?s/);
    expect(at.phaseBar()).toMatch(/44 tok/);
    expect(at.line(0)).toMatch(/1\.2k of 64k/);
    expect(at.line(0)).toContain('Why is the sky blue?');
    expect(at.screen()).toMatch(/▸ thought/);
    // The next answer goes on from there: estimated until the server tells.
    server.play(SLOW);
    at.send('And at night?');
    await at.sees(() => /≈1\.[23]k of 64k/.test(at.line(0)));
  });

  it('from llama.cpp tells how far the prompt is', async () => {
    const llama = await startScriptedServer({
      kind: 'llama.cpp',
      script: { promptTokens: 1000, promptSteps: 4, promptMs: 400, answer: 5, endMark: 'END' },
    });
    const own = await startDashboard({ urls: [llama.url] });
    await own.sees('scripted:1b · llama.cpp');
    own.send('go');
    await own.sees(() => /prompt (25|50|75) %/.test(own.phaseBar()));
    await own.sees('END');
    await own.close();
    await llama.close();
  });

  it('keeps its thinking folded until t opens it', async () => {
    server.play({ answer: ['short.'], thinking: ['a secret thought'] });
    at.send('go');
    await at.sees('short.');
    await idle();
    expect(at.screen()).not.toContain('a secret thought');
    at.type('\tt');
    await at.sees('a secret thought');
    at.type('t');
    await at.misses('a secret thought');
  });

  it('is told as empty when nothing came', async () => {
    server.play({ answer: [] });
    at.send('go');
    await at.sees('The answer is empty.');
    expect(at.screen()).not.toContain('empty answer');
  });

  it('goes to the server with truncate and shift off, and earlier turns before it', async () => {
    server.play({ answer: ['first answer'] });
    at.send('first question');
    await at.sees('first answer');
    await idle();
    at.send('second question');
    await at.sees(
      () => server.answers.filter((a) => a.done).length >= 2 && at.screen().split('first answer').length > 2,
    );
    const sent = server.requests.flatMap((r, i) =>
      r === 'POST /api/chat' ? [JSON.parse(server.bodies[i] ?? '{}') as Record<string, unknown>] : [],
    );
    expect(sent.at(-1)).toMatchObject({
      truncate: false,
      shift: false,
      messages: [
        { role: 'user', content: 'first question' },
        { role: 'assistant', content: 'first answer' },
        { role: 'user', content: 'second question' },
      ],
    });
  });
});

describe('stopping', () => {
  it.each([
    ['Esc', '\x1b'],
    ['Ctrl+C', '\x03'],
  ])('with %s closes the socket at once, keeps the text, and the box is usable', async (_name, key) => {
    server.play(SLOW);
    at.send('a long one');
    await answering();
    await at.sees(() => (server.answers.at(-1)?.pieces ?? 0) > 20);
    at.type(key);
    await at.sees(/stopped by you.* c goes on · r asks again/);
    await at.sees(() => server.answers.at(-1)?.closedByClientAt !== null);
    expect(at.screen()).toContain('parser');
    expect(at.phaseBar()).toContain('cancelled');
    server.play({ answer: ['next answer'] });
    at.send('and now?');
    await at.sees('next answer');
  });

  it('works before the first byte came, too', async () => {
    server.play({ headAfterMs: 3000 });
    at.send('nobody answers');
    await at.sees('Esc stop');
    await at.sees(() => server.answers.some((a) => !a.done));
    at.type('\x03');
    await at.sees('stopped by you');
    await at.sees(() => server.answers.at(-1)?.closedByClientAt !== null);
  });

  it('r asks the same again in its place, e takes the question back into the box', async () => {
    server.play(SLOW);
    at.send('one question');
    await answering();
    at.type('\x03');
    await at.sees('stopped by you');
    server.play({ answer: ['better now'] });
    at.type('\tr');
    await at.sees('better now');
    expect(at.screen()).not.toContain('stopped by you');
    at.type('e');
    await at.sees(
      () =>
        at.cursor().y === at.rowOf('one question') ||
        at.line(at.rowOf('Message') + 1).includes('one question'),
    );
  });
});

describe('Ctrl+C without an answer', () => {
  it('empties the message; twice on an empty one quits', async () => {
    at.type('half a thought');
    await at.sees('half a thought');
    at.type('\x03');
    await at.misses('half a thought');
    at.type('\x03');
    await at.sees('Ctrl+C again quits');
    at.type('\x03');
    expect(await at.exited).toBe(0);
  });

  it('does not quit after 2 seconds, or when something was typed in between', async () => {
    at.type('\x03');
    await at.sees('Ctrl+C again quits');
    at.clock.skip(2100);
    at.type('\x03');
    at.type('x');
    await at.sees('│ x');
    at.type('\x7f');
    await at.sees('Ask something');
    at.type('\x03');
    await new Promise((resolve) => setTimeout(resolve, 30));
    at.type('still here');
    await at.sees('still here');
  });

  it('Ctrl+D quits on an empty message, and deletes in another', async () => {
    at.type('ab\x1b[H\x04');
    await at.sees('│ b');
    at.type('\x04\x04');
    expect(await at.exited).toBe(0);
  });
});

describe('another model', () => {
  it('is chosen in mid-answer for the next message, and Ctrl+O Enter goes back', async () => {
    server.play(SLOW);
    at.send('first');
    await answering();
    at.type('\x0f');
    await at.sees('╭ Models ──');
    at.type('othr');
    await at.sees(() => !/scripted:1b.*chosen/.test(at.screen()));
    at.type('\r');
    await at.sees('other:7b answers the next message');
    expect(at.line(0)).toContain('other:7b · ollama');
    expect(server.answers.at(-1)).toMatchObject({ model: 'scripted:1b', done: false });
    server.play({ answer: ['from the other'] });
    at.type('\x03');
    await at.sees('stopped by you');
    at.send('second');
    await at.sees('from the other');
    expect(server.answers.at(-1)?.model).toBe('other:7b');
    await idle();
    at.type('\x0f');
    await at.sees('chosen');
    at.type('\r');
    await at.sees(() => at.line(0).includes('scripted:1b · ollama'));
    at.type('\x0f');
    await at.sees('chosen');
    at.type('\r');
    await at.sees(() => at.line(0).includes('other:7b · ollama'));
  });

  it('is kept for the next start', async () => {
    at.type('\x0f');
    await at.sees('chosen');
    at.type('other\r');
    await at.sees(() => at.line(0).includes('other:7b'));
    expect(await at.quit()).toBe(0);
    const again = await startDashboard({ urls: [server.url], home: at.home });
    await again.sees('other:7b · ollama');
  });
});

describe('a message sent while an answer runs', () => {
  it('waits visibly, Up takes it back, and it goes out when the answer is complete', async () => {
    server.play({ answer: 100, tokensPerSecond: 100 });
    at.send('first');
    await answering();
    const asked = server.answers.length;
    at.send('second, please');
    await at.sees('waits for the answer above');
    expect(at.screen()).toContain('you, next');
    at.type('\x1b[A');
    await at.misses('you, next');
    expect(server.answers).toHaveLength(asked);
    expect(server.answers.at(-1)?.done).toBe(false);
    expect(at.line(at.rowOf('Message') + 1)).toContain('second, please');
    at.type('\r');
    await at.sees('you, next');
    server.play({ answer: ['second answer'] });
    await at.sees('second answer');
    expect(at.screen()).not.toContain('you, next');
  });

  it('stays after a cancel until the user says so', async () => {
    server.play(SLOW);
    at.send('first');
    await answering();
    at.send('second');
    await at.sees('you, next');
    at.type('\x03');
    await at.sees('1 waiting not sent');
    expect(at.screen()).toContain('you, next');
    const asked = server.answers.length;
    server.play({ answer: ['now then'] });
    at.type('\r');
    await at.sees('now then');
    expect(server.answers.length).toBe(asked + 1);
  });
});
