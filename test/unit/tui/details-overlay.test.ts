import { describe, expect, it } from '@jest/globals';
import { UNICODE_GLYPHS } from '../../../widgets/glyphs.js';
import { spansWidth } from '../../../widgets/rows.js';
import type { Row } from '../../../widgets/text/span.js';
import { NO_FEATURES, type ModelDetails } from '../../../src/domain/model.js';
import { findModels } from '../../../src/domain/find-model.js';
import { TERM_WORDS } from '../../../src/domain/fit-words.js';
import { detailRows, NAME_COLUMNS } from '../../../src/tui/details-overlay.js';
import { modelRows } from '../../../src/tui/select-models.js';
import {
  checked,
  createMachine,
  found,
  listed,
  modelOf,
  SAMPLE,
  searched,
  server,
  type Machine,
} from '../../support/machine.js';

const A = 'ollama@a';
const KEY = `${A}/m`;
const NONE: ModelDetails = {
  license: null,
  system: null,
  template: null,
  parameters: [],
  modifiedAt: null,
  facts: [],
};

function looking(change: Parameters<typeof modelOf>[2] = {}): Machine {
  return createMachine().send(
    found(server(A, { features: { ...NO_FEATURES, load: true } })),
    checked(A),
    listed(A, [modelOf(A, 'm', change)]),
    searched,
    { type: 'hardware.sampled', sample: SAMPLE },
    { type: 'clock.ticked' },
  );
}
const told = (machine: Machine, details: Partial<ModelDetails>): Machine =>
  machine.send({ type: 'model.detailed', key: KEY, details: { ...NONE, ...details }, fault: null });
const texts = (rows: readonly Row[]): readonly string[] =>
  rows.map(({ spans }) =>
    spans
      .map(({ text }) => text)
      .join('')
      .trimEnd(),
  );
const shown = (machine: Machine, key = KEY): readonly string[] =>
  texts(detailRows(machine.state, key, 72, UNICODE_GLYPHS));
const termOf = (machine: Machine, name: string): string =>
  (shown(machine).find((row) => row.startsWith(` ${name} `)) ?? '').slice(26).trim();

describe('the details of a model', () => {
  it('are what the list tells, term by term, and the fit with its figures', () => {
    const machine = looking({
      family: 'qwen3',
      parameters: '8.2B',
      quantization: 'Q4_K_M',
      contextMax: 40_960,
      contextAllocated: 8192,
      capabilities: ['completion', 'tools'],
      loadState: 'loaded',
      memoryBytes: 6e9,
      vramBytes: 3e9,
      expiry: 'never',
    });
    expect(
      [
        'state',
        'stays loaded',
        'in memory',
        'context now',
        'context of the model',
        'with a context of',
        'needs',
        'free now',
        'fits',
      ].map((name) => termOf(machine, name)),
    ).toEqual([
      'loaded by ollama',
      'until it is unloaded by hand',
      '6.0 GB, 50 % on the GPU',
      '8,192 tokens',
      '40,960 tokens',
      '8,192 tokens, as it is loaded',
      '≈ 2 GB at least, a part is not known',
      '8.0 GB, memory',
      'yes, probably',
    ]);
  });

  it('case 79: clamp and leave out what cannot be', () => {
    expect(termOf(looking({ memoryBytes: 1e9, vramBytes: 2e9 }), 'in memory')).toBe(
      '1.0 GB, 100 % on the GPU',
    );
    expect(termOf(looking({ memoryBytes: 0, vramBytes: 0 }), 'in memory')).not.toMatch(/NaN/);
    expect(termOf(looking({ sizeBytes: null }), 'file size')).toBe('—');
    expect(shown(looking({ sizeBytes: null })).join()).not.toMatch(/NaN|undefined|null/);
  });

  it('say that the server is being asked, and what it answered instead', () => {
    const machine = looking();
    machine.command('model.details', KEY);
    expect(termOf(machine, 'more')).toBe('the server is being asked …');
    machine.send({
      type: 'model.detailed',
      key: KEY,
      details: null,
      fault: { code: 'timeout', message: 'No answer in 10 s.', hint: 'Look again.', status: null },
    });
    expect(termOf(machine, 'more')).toBe('No answer in 10 s. Look again.');
  });

  it('have parameters, repeated names too, and long texts cut with a count', () => {
    const machine = told(looking(), {
      parameters: [
        ['stop', '<|im_end|>'],
        ['stop', '<|eot|>'],
      ],
      facts: [['architecture', 'qwen3']],
      template: `first line\n${'word '.repeat(4000)}`,
      license: 'a\n'.repeat(100_000),
      system: 'Be short.',
    });
    const rows = shown(machine);
    expect(rows.filter((row) => row.startsWith(' stop '))).toHaveLength(2);
    expect(termOf(machine, 'architecture')).toBe('qwen3');
    expect(rows).toContain('   first line');
    expect(rows).toContain('   Be short.');
    const counts = rows.filter((row) => row.includes('more characters'));
    expect(counts).toHaveLength(2);
    expect(Number(/(\d+,\d+) more/.exec(counts[0] ?? '')?.[1]?.replace(',', ''))).toBeGreaterThan(19_000);
    expect(rows.length).toBeLessThan(70);
    for (const row of detailRows(machine.state, KEY, 72, UNICODE_GLYPHS))
      expect(spansWidth(row.spans)).toBeLessThanOrEqual(72);
  });

  it('of a model that is gone say so', () => {
    expect(shown(looking(), `${A}/other`)).toEqual([expect.stringContaining('it is gone')]);
  });

  it('of a pull are its layers', () => {
    const machine = looking().send({ type: 'pane.focused', pane: 'models' });
    machine
      .send(found(server(A, { features: { ...NO_FEATURES, pull: true } })))
      .command('model.pull-name', `${A}/x`);
    const id = machine.state.models.pulls[0]?.id ?? '';
    const layers = [
      { id: 'sha256:0123456789abcdef', completedBytes: 50, totalBytes: 100 },
      { id: 'sha256:fedcba9876543210', completedBytes: 0, totalBytes: 0 },
    ];
    machine.send({
      type: 'pull.progressed',
      pullId: id,
      progress: { phase: 'downloading', status: 'pulling 0123', completedBytes: 50, totalBytes: 100, layers },
    });
    const rows = shown(machine, id);
    expect(rows).toContainEqual(expect.stringMatching(/layer 0123456789ab +50 % of 100 B$/));
    expect(rows).toContainEqual(expect.stringMatching(/layer fedcba987654 +— of 0 B$/));
    expect(rows).toContainEqual(expect.stringMatching(/the server says +pulling 0123$/));
  });
});

describe('a model that runs here without a server', () => {
  const HERE = 'embedded/m';
  const here = (): Machine =>
    createMachine().send(
      found(server('embedded', { kind: 'embedded', title: 'this machine', url: '' })),
      checked('embedded'),
      listed('embedded', [modelOf('embedded', 'm')]),
      searched,
    );
  const preferred = (machine: Machine): readonly string[] =>
    shown(machine, HERE).filter((row) => row.startsWith(' preferred'));
  const note = (machine: Machine): string | undefined => {
    const [row] = modelRows(machine.state);
    return row?.kind === 'server' ? row.note : undefined;
  };

  it('would better be run by a server that is installed, and why is told', () => {
    const machine = here();
    expect(preferred(machine)).toEqual([]);
    machine.send({ type: 'servers.installed', kinds: ['vllm', 'llama.cpp'] });
    expect(preferred(machine)[0]).toMatch(/llama-server, which is installed here/);
    expect(note(machine)).toBe('prefer llama-server');
    // A file that is not in its store Ollama does not know.
    machine.send({ type: 'servers.installed', kinds: ['llama.cpp', 'ollama'] });
    expect(note(machine)).toBe('prefer llama-server');
    const digest = `sha256:${'a'.repeat(64)}`;
    machine.send(listed('embedded', [modelOf('embedded', 'm', { digest })]));
    expect(note(machine)).toBe('prefer ollama');
    expect(preferred(machine)[0]).toMatch(/ollama, which is installed here/);
  });

  const rowOf = (machine: Machine, key: string) => modelRows(machine.state).find((row) => row.key === key);
  const serves = (machine: Machine, url: string, name: string): Machine =>
    machine.send(
      found(server('llama.cpp@a', { kind: 'llama.cpp', title: 'llama.cpp', url })),
      checked('llama.cpp@a'),
      listed('llama.cpp@a', [modelOf('llama.cpp@a', name)]),
    );

  it('that a running server has as well says so, with the reason, whatever is installed', () => {
    const machine = serves(here(), 'http://127.0.0.1:8080', 'M.gguf');
    expect(rowOf(machine, HERE)).toMatchObject({ note: 'served' });
    expect(preferred(machine)[0]).toMatch(/llama\.cpp 127\.0\.0\.1:8080, which has the same/);
  });

  it('is not taken for what a server on another machine, or one with another file has', () => {
    const far = serves(here(), 'http://gpu-box:8080', 'm.gguf');
    expect(rowOf(far, HERE)).not.toMatchObject({ note: 'served' });
    expect(preferred(far)).toEqual([]);
    const other = serves(here(), 'http://127.0.0.1:8080', 'n.gguf');
    expect(rowOf(other, HERE)).not.toMatchObject({ note: 'served' });
  });

  it('leaves the answer to a server that has the same file at the next start, but not what the user has chosen', () => {
    const start = (): Machine =>
      createMachine().send(
        { type: 'model.remembered', key: HERE },
        found(server('embedded', { kind: 'embedded', title: 'this machine', url: '' })),
        checked('embedded'),
        listed('embedded', [modelOf('embedded', 'm'), modelOf('embedded', 'n')]),
      );
    const machine = start();
    expect(machine.state.models.selected).toBe(HERE);
    serves(machine, 'http://127.0.0.1:8080', 'm');
    expect(machine.state.models.selected).toBe('llama.cpp@a/m');
    const chosen = start();
    chosen.command('model.use', HERE);
    serves(chosen, 'http://127.0.0.1:8080', 'm');
    expect(chosen.state.models.selected).toBe(HERE);
  });

  it('is not meant by a name that a server has, too', () => {
    const [own, served] = [modelOf('embedded', 'm'), modelOf(A, 'm')];
    expect(findModels([own, served], 'm')).toEqual([served]);
    expect(findModels([own], 'm')).toEqual([own]);
    expect(findModels([own, served], HERE)).toEqual([own]);
  });

  it('leaves a blank between the longest name of a part and its size', () => {
    for (const words of Object.values(TERM_WORDS)) expect(`  ${words}`.length).toBeLessThan(NAME_COLUMNS);
  });
});
