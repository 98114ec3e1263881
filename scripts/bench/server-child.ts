import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { AnswerScript, AnswerTrace, ScriptedServerOptions } from '../../test/support/scripted-server.js';

/** A scripted server in another process. */
export interface ServerChild {
  readonly url: string;
  play(script: Partial<AnswerScript>): Promise<void>;
  answers(): Promise<readonly AnswerTrace[]>;
  close(): void;
}

interface Reply {
  readonly id: number;
  readonly url?: string;
  readonly answers?: readonly AnswerTrace[];
}

export async function startServerChild(options: ScriptedServerOptions): Promise<ServerChild> {
  const child = fork(fileURLToPath(new URL('./server.program.mjs', import.meta.url)), [
    JSON.stringify(options),
  ]);
  const waiting = new Map<number, (reply: Reply) => void>();
  child.on('message', (message) => {
    const reply = message as Reply;
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  const replyTo = (id: number): Promise<Reply> => new Promise((arrived) => waiting.set(id, arrived));
  const { url } = await replyTo(0);
  let last = 0;
  const call = (message: Record<string, unknown>): Promise<Reply> => {
    const id = ++last;
    child.send({ ...message, id });
    return replyTo(id);
  };
  return {
    url: url ?? '',
    play: async (script) => void (await call({ call: 'play', script })),
    answers: async () => (await call({ call: 'answers' })).answers ?? [],
    close: () => void child.kill(),
  };
}
