// reader URL KIND: the floor for what a stream costs a Node program. Asks for one answer when a line comes on stdin, reads and parses the whole
// stream, joins the text, and prints nothing but `done CHARACTERS` at its end.
import http from 'node:http';
import { StringDecoder } from 'node:string_decoder';

const [url = '', kind = 'ollama'] = process.argv.slice(2);

interface Piece {
  readonly message?: { readonly content?: string };
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
}

process.stdin.once('data', () => {
  const path = kind === 'ollama' ? '/api/chat' : '/v1/chat/completions';
  const body = JSON.stringify({
    model: 'scripted:1b',
    stream: true,
    messages: [{ role: 'user', content: 'go' }],
  });
  const request = http.request(
    url + path,
    { method: 'POST', headers: { 'Content-Type': 'application/json' } },
    (response) => {
      const decoder = new StringDecoder('utf8');
      let rest = '';
      let text = '';
      response.on('data', (bytes: Buffer) => {
        const lines = (rest + decoder.write(bytes)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const json = line.startsWith('data: ') ? line.slice(6) : line;
          if (json === '' || json === '[DONE]') continue;
          const piece = JSON.parse(json) as Piece;
          text += piece.message?.content ?? piece.choices?.[0]?.delta?.content ?? '';
        }
      });
      response.on('end', () => process.stdout.write(`done ${text.length}\n`));
    },
  );
  request.end(body);
});
process.stdout.write('ready\n');
