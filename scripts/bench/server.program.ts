// The scripted server in a process of its own: its work must not be counted with, nor disturb, what is measured.
import {
  startScriptedServer,
  type AnswerScript,
  type ScriptedServerOptions,
} from '../../test/support/scripted-server.js';

type Call = { readonly id: number } & (
  { readonly call: 'play'; readonly script: Partial<AnswerScript> } | { readonly call: 'answers' }
);

const server = await startScriptedServer(JSON.parse(process.argv[2] ?? '{}') as ScriptedServerOptions);
process.on('message', (message) => {
  const call = message as Call;
  if (call.call === 'play') server.play(call.script);
  process.send?.({ id: call.id, answers: server.answers });
});
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0, url: server.url });
