import { afterEach, describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { closeDashboards, startDashboard, type TestDashboard } from '../support/dashboard.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await closeDashboards();
  for (const server of servers.splice(0)) await server.close();
});

interface Given {
  readonly kind?: 'ollama' | 'llama.cpp';
  readonly columns?: number;
  readonly rows?: number;
}

/** A model with a context of 1,024 tokens of 8,192. */
async function open({ kind = 'ollama', ...size }: Given = {}): Promise<[TestDashboard, ScriptedServer]> {
  const loaded = { context: 1024, sizeBytes: 1_900_000_000, vramBytes: 0, forSeconds: 299 };
  const server = await startScriptedServer({ kind, models: [{ ...PLAIN_MODEL, contextMax: 8192, loaded }] });
  servers.push(server);
  const at = await startDashboard({ urls: [server.url], ...size });
  await at.sees(/scripted:1b · (ollama|llama.cpp).* of 1k/);
  return [at, server];
}

const config = (at: TestDashboard): Record<string, unknown> => {
  const file = path.join(at.home.folder, 'config', 'lmapp', 'config.json');
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Record<string, unknown>) : {};
};
const sent = ({ requests, bodies }: ScriptedServer): readonly Record<string, unknown>[] =>
  requests.flatMap((request, i) =>
    /^POST .*(api\/chat|completions)$/.test(request) && /"role"/.test(bodies[i] ?? '')
      ? [JSON.parse(bodies[i] ?? '{}') as Record<string, unknown>]
      : [],
  );
const answeredWith = async (at: TestDashboard, message: string, mark: string): Promise<void> => {
  at.send(message);
  await at.sees(mark);
  await at.sees(() => !/Esc stop/.test(at.phaseBar()));
};
/** About 670 tokens. */
const PASTE = 'All of this is about the parser. '.repeat(74);

describe('the context in the header', () => {
  it('shows what the next message would make of it while it is typed', async () => {
    const [at, server] = await open();
    at.type('hello');
    await at.sees(() => /ctx .*≈\d+ of 1k \(model 8k\)/.test(at.line(0)));
    server.play({ answer: 60, promptTokens: 100, endMark: 'END' });
    await answeredWith(at, '', 'END');
    expect(at.line(0)).toMatch(/ 161 of 1k/);
    at.type('and what of the others?');
    await at.sees(() => /161 → ≈1[67]\d of 1k \(model 8k\)/.test(at.line(0)));
    at.paste(PASTE.repeat(2));
    await at.sees(() => /would not fit: ≈ 1\.\dk of 1k tokens/.test(at.line(0)));
    at.type('\x15');
    at.type('\x03');
    await at.sees(() => / 161 of 1k/.test(at.line(0)));
  });
});

describe('a message that would not fit', () => {
  it('is sent without the oldest question, which stays in the chat, marked as not sent', async () => {
    const [at, server] = await open({ columns: 80, rows: 24 });
    server.play({ answer: 300, promptTokens: 100, endMark: 'FIRST' });
    await answeredWith(at, 'the first question', 'FIRST');
    at.paste(PASTE);
    at.type('\r');
    await at.sees('This would not fit into the context');
    expect(at.screen()).toContain('leave out the oldest question and its answer');
    expect(at.screen()).toContain('raise the context to 2k');
    server.play({ answer: ['the second answer'], promptTokens: 700 });
    at.type('d');
    await at.sees('the second answer');
    await at.sees('left out to make room in the context: the oldest question and its answer');
    expect(sent(server).at(-1)?.['messages']).toHaveLength(1);
    at.type('\tg');
    await at.sees(/you · not sent/);
    expect(at.cellOf('kept waits')?.isStrikethrough()).toBeTruthy();
    expect(at.screen()).toContain('scripted:1b · not sent');
  });

  it('is sent with a larger context, which is kept in the configuration', async () => {
    const [at, server] = await open();
    server.play({ answer: 300, promptTokens: 100, endMark: 'FIRST' });
    await answeredWith(at, 'the first question', 'FIRST');
    at.paste(PASTE);
    at.type('\r');
    await at.sees('raise the context to 2k');
    server.play({ answer: ['the second answer'], promptTokens: 1100 });
    at.type('r');
    await at.sees('the second answer');
    await at.sees('context raised from 1k to 2k tokens');
    expect(sent(server).at(-1)).toMatchObject({ options: { num_ctx: 2048 } });
    await at.sees(() => config(at)['contexts'] !== undefined);
    expect(Object.values(config(at)['contexts'] as object)).toEqual([2048]);
  });

  it('comes back into the box with Escape', async () => {
    const [at, server] = await open();
    at.paste(PASTE + PASTE);
    at.type('\r');
    await at.sees('This would not fit into the context');
    at.type('\x1b');
    await at.misses('This would not fit into the context');
    await at.sees('All of this is about the parser.');
    expect(sent(server)).toEqual([]);
  });
});

describe('a message to a server that counts it before it is read', () => {
  it('is asked about with exact figures, and nothing of it was sent', async () => {
    const [at, server] = await open({ kind: 'llama.cpp' });
    server.play({ counts: 1213 });
    at.paste(PASTE + PASTE);
    at.type('\r');
    await at.sees('The context is full');
    expect(at.screen()).toContain('takes 1,213 tokens');
    expect(at.screen()).not.toContain('≈ 1,');
    expect(at.line(0)).toContain('context full: 1,213 of 1,024 tokens');
    expect(sent(server)).toEqual([]);
    at.type('\x1b');
    await at.misses('The context is full');
    await at.sees('All of this is about the parser.');
    expect(at.screen()).not.toContain('Not sent');
  });

  it('goes out without a question when the count fits where the estimate would not', async () => {
    const [at, server] = await open({ kind: 'llama.cpp' });
    server.play({ counts: 800, answer: ['all of it was read'], promptTokens: 800 });
    at.paste(PASTE + PASTE);
    at.type('\r');
    await at.sees('all of it was read');
    expect(sent(server)).toHaveLength(1);
  });

  it('is not counted when it is far from the end of the context', async () => {
    const [at, server] = await open({ kind: 'llama.cpp' });
    server.play({ counts: 5000, answer: ['hello back'] });
    await answeredWith(at, 'hello', 'hello back');
    expect(server.requests.join(' ')).not.toContain('input_tokens');
  });

  it('is asked about by the estimate when the server is too old to count', async () => {
    const [at, server] = await open({ kind: 'llama.cpp' });
    at.paste(PASTE + PASTE);
    at.type('\r');
    await at.sees('This would not fit into the context');
    expect(at.screen()).toMatch(/takes ≈ 1,\d\d\d tokens/);
    server.play({ answer: ['as it is'] });
    at.type('s');
    await at.sees('as it is');
  });
});

describe('a request that the server refuses', () => {
  it('opens the question with what the server said', async () => {
    const [at, server] = await open({ kind: 'llama.cpp' });
    server.play({ answer: ['first answer'], promptTokens: 30 });
    await answeredWith(at, 'the first question', 'first answer');
    const error = {
      code: 400,
      message: 'request (1100 tokens) exceeds the available context size (1024 tokens)',
      type: 'exceed_context_size_error',
      n_prompt_tokens: 1100,
      n_ctx: 1024,
    };
    server.play({ refusal: { status: 400, body: { error } } });
    at.send('and now a short one');
    await at.sees('The context is full');
    expect(at.screen()).toContain('takes 1,100 tokens');
    expect(at.line(0)).toContain('context full: 1,100 of 1,024 tokens');
    at.type('e');
    await at.sees(() => at.rowOf('and now a short one') > 0 && !/The context is full/.test(at.screen()));
  });
});

describe('a server that cuts without a word', () => {
  it('is found out by its count: the answer and the header say what was not seen', async () => {
    const [at, server] = await open({ kind: 'llama.cpp' });
    server.play({ answer: 300, promptTokens: 100, endMark: 'FIRST' });
    await answeredWith(at, 'the first question', 'FIRST');
    server.play({ answer: 300, promptTokens: 520, endMark: 'SECOND' });
    await answeredWith(at, 'the second question', 'SECOND');
    server.play({ answer: ['third'], promptTokens: 410 });
    await answeredWith(at, 'the third question', 'third');
    await at.sees(/the model did not see ≈ 4\d\d tokens, about the 3 oldest messages: prompt/);
    expect(at.line(0)).toMatch(/▲ not all was read: ≈ 4\d\d tokens/);
  });
});

describe('the details of an answer', () => {
  it('show every time and figure with what told it, and close with Escape', async () => {
    const [at, server] = await open({ kind: 'llama.cpp' });
    server.play({ answer: 30, promptTokens: 100, cachedTokens: 40, endMark: 'END' });
    await answeredWith(at, 'hello', 'END');
    at.type('\ti');
    await at.sees('About this answer');
    const rows = at.screen();
    expect(rows).toMatch(/prompt +100 tokens +\S/);
    expect(rows).toMatch(/of it cached +40 tokens +\S/);
    expect(rows).toMatch(/first token +after .* +clocked here/);
    expect(rows).toMatch(/load time +— /);
    expect(rows).toMatch(/outcome +complete/);
    at.type('\x1b');
    await at.misses('About this answer');
  });
});
