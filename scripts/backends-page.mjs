// The page docs/backends.md, made of the registry of backends and of the titles of the tests. Part of write-docs.mjs.

const INTRO = `# Servers

<!-- Made by scripts/write-docs.mjs from src/backends/registry.ts and the titles of the tests. -->

lmapp speaks to every server below at once. It finds those at their usual ports on this machine by itself; others are named with
\`lmapp backends add http://gpu-box:8000\`, or for once with \`--url\`. The kind is told by the shape of their answers, never by the port. A
kind before the address fixes it: \`llama.cpp+http://gpu-box:9000\`. A server that wants a key is added with \`--key-env NAME\`, the name of a
variable of the environment; the key is sent to that server only, and never shown.

Looking at a server never loads a model, never wakes one that sleeps, and never asks LiteLLM's \`/health\`, which would send a request to
each of its models.
`;

const FEATURES_INTRO = `## What each can do

What a kind can do at best. A server that cannot (an older version, a question that is switched off) is shown with what it can; a
figure that it does not tell is —, never a guess without its ≈.
`;

const CASES_INTRO = `## Cases of conformance

What servers are known to do, and what is to come of it, as numbered cases. Each has a test against a server on a raw socket, or on the
whole program, whose title begins with its number: \`npm run jest -- -t 'case 17:'\`.
`;

const NOT_CONCERNED_INTRO = `## Cases that do not concern a kind
`;

/** What each feature of src/domain/model.ts is called here. */
const FEATURES = {
  stream: 'answers come piece by piece',
  thinking: 'thinking apart from the answer',
  load: 'load a model',
  unload: 'unload a model',
  pin: 'keep a model loaded',
  pull: 'fetch a model',
  delete: 'delete a model',
  loadProgress: 'tells how far a load is',
  promptProgress: 'tells how far the prompt is',
  contextSize: 'tells the context that it has allocated',
  contextChoice: 'takes another size of context',
  memory: 'tells the memory of a model',
  evicts: 'unloads others when a model needs their memory',
  queue: 'tells its queue',
  metrics: 'has metrics',
  prefill: 'goes on with an answer that was cut off',
  promptCount: 'counts a prompt before it is read',
};

/** The text of the page. Throws when a feature has no name here, or a name no feature. */
export function backendsPage({ types, noFeatures, tests, caseCount }) {
  const named = Object.keys(FEATURES);
  const wrong = Object.keys(noFeatures).filter((name) => !named.includes(name));
  if (wrong.length > 0) throw new Error(`scripts/backends-page.mjs has no words for: ${wrong.join(', ')}`);
  return [
    INTRO,
    places(types),
    FEATURES_INTRO,
    featureTable(types, named),
    CASES_INTRO,
    caseTable(tests, caseCount, types),
    NOT_CONCERNED_INTRO,
    reasons(types),
  ].join('\n');
}

function places(types) {
  const rows = types.map(({ kind, title, startCommand, defaultPorts, logPlace }) => {
    // Apps are started by hand: that is no command.
    const start =
      /^[a-z.]/.test(startCommand) && !startCommand.startsWith('the ') ? `\`${startCommand}\`` : startCommand;
    return [title, `\`${kind}\``, start || '—', defaultPorts.join(', ') || '—', logPlace];
  });
  return table(['server', 'kind', 'is started with', 'ports', 'its log'], rows);
}

function featureTable(types, names) {
  const rows = names.map((name) => [
    FEATURES[name],
    ...types.map(({ features }) => (features[name] ? 'yes' : '—')),
  ]);
  return table(['', ...types.map(({ title }) => title)], rows);
}

function caseTable(tests, count, types) {
  const own = new Set(types.map(({ kind }) => `contract/${kind.replace(/\W/g, '-')}.test.ts`));
  const rows = Array.from({ length: count }, (_, i) => i + 1).map((number) => {
    const found = tests.get(number) ?? [];
    const files = [...new Set(found.map(({ file }) => file))].map((file) => `\`${file}\``);
    // A title with places to be filled in says nothing by itself, and one of a single kind not all.
    const whole = found.filter(({ says }) => !/%[a-z]|\$\{/.test(says));
    const example = whole.find(({ file }) => !own.has(file)) ?? whole[0] ?? found[0];
    const says = (example?.says ?? '—').replace(/\$\{(\w+)\}/g, (_whole, name) => name.toUpperCase());
    return [String(number), says, files.join(', ') || '—'];
  });
  return table(['case', 'for example', 'tests in `test`'], rows);
}

/** A line for each reason: the cases, and the kinds that have it for just these. */
function reasons(types) {
  const lines = new Map();
  for (const { title, notConcerned } of types) {
    const byReason = new Map();
    for (const [number, reason] of Object.entries(notConcerned))
      byReason.set(reason, [...(byReason.get(reason) ?? []), Number(number)]);
    for (const [reason, numbers] of byReason) {
      const sorted = numbers.sort((a, b) => a - b);
      const key = `${ranges(sorted)}|${reason}`;
      const line = lines.get(key) ?? { first: sorted[0], titles: [], numbers: ranges(sorted), reason };
      lines.set(key, { ...line, titles: [...line.titles, title] });
    }
  }
  const sorted = [...lines.values()].sort((a, b) => a.first - b.first);
  return table(
    ['cases', 'why not', 'servers'],
    sorted.map(({ titles, numbers, reason }) => [numbers, reason, titles.join(', ')]),
  );
}

/** `1, 2, 5 to 9`. */
function ranges(sorted) {
  const parts = [];
  for (const number of sorted) {
    const last = parts.at(-1);
    if (last !== undefined && last.end === number - 1) last.end = number;
    else parts.push({ begin: number, end: number });
  }
  return parts
    .flatMap(({ begin, end }) => {
      if (end - begin < 2) return begin === end ? [`${begin}`] : [`${begin}`, `${end}`];
      return [`${begin} to ${end}`];
    })
    .join(', ');
}

function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`);
  return `${lines.join('\n')}\n`;
}

function cell(text) {
  return text.replace(/\|/g, '\\|').replace(/\s+/g, ' ');
}
