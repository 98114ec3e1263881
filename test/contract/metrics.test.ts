import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Backend } from '../../src/backends/backend.js';
import { slotsOf } from '../../src/backends/llama-cpp-state.js';
import { CounterRates, averageOf, parsePrometheus, sumOf } from '../../src/wire/prometheus.js';
import { RawServer, json, status } from '../support/raw-server.js';
import { recorded } from '../support/recorded.js';
import { backendAt, modelOf } from './answers.js';

let server: RawServer;
let backend: Backend | null = null;
beforeEach(async () => {
  server = await RawServer.start();
});
afterEach(async () => {
  backend?.close();
  backend = null;
  await server.stop();
});

const signal = new AbortController().signal;

async function factsOf(metrics: string): Promise<Map<string, string>> {
  server
    .reply('/v1/models', json({ data: [{ id: 'm', owned_by: 'vllm', max_model_len: 10 }] }))
    .reply('/metrics', status(200, metrics));
  backend = backendAt('vllm', server.url);
  const details = await backend.details?.(modelOf(backend), signal);
  return new Map(details?.facts);
}

describe('metrics', () => {
  it('case 89: labels with any text, names with colons, comments, every form of a number', () => {
    const samples = parsePrometheus(
      [
        '# HELP a:b words { with "quotes", and commas }',
        '# TYPE a:b gauge',
        'a:b{model="x,y{z}",path="C:\\\\dir\\"q\\"\\nend",empty="",} 1.5e+06 1395066363000',
        'a:b { model = "two" } 2',
        'plain 7',
        '  indented_total 8 -3982045',
        'odd NaN',
        'more +Inf',
        'less -Inf',
        'bucket{le="+Inf"} 12 # {trace="abc"} 0.5',
        'neg -3.5',
        'no_value',
        'bad{unclosed="x 3',
        'bad{a=unquoted} 3',
        '9bad 3',
        'bad{a="b"} many',
        '',
      ].join('\r\n'),
    );
    expect(samples.map(({ name, value }) => [name, value])).toEqual([
      ['a:b', 1.5e6],
      ['a:b', 2],
      ['plain', 7],
      ['indented_total', 8],
      ['odd', NaN],
      ['more', Infinity],
      ['less', -Infinity],
      ['bucket', 12],
      ['neg', -3.5],
    ]);
    expect(Object.fromEntries(samples[0]?.labels ?? [])).toEqual({
      model: 'x,y{z}',
      path: 'C:\\dir"q"\nend',
      empty: '',
    });
    expect(parsePrometheus('a 1\nab 2\na{b="c"} 3', new Set(['a'])).map(({ value }) => value)).toEqual([
      1, 3,
    ]);
    expect(sumOf(samples, 'a:b')).toBe(1_500_002);
    expect(sumOf(samples, 'a:b', { model: 'two' })).toBe(2);
    for (const name of ['odd', 'more', 'absent']) expect(sumOf(samples, name)).toBeNull();
    expect(averageOf(samples, 'odd')).toBeNull();
  });

  it('case 89: a name of an object is a label like any other', () => {
    const [sample] = parsePrometheus('x{__proto__="a",constructor="b"} 1');
    expect([...(sample?.labels ?? [])]).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });

  it('case 89: a speed is the difference of a counter, and after a restart it counts from zero', () => {
    const rates = new CounterRates();
    expect(rates.perSecond('t', 1000, 0)).toBeNull();
    expect(rates.perSecond('t', 1100, 2000)).toBe(50);
    expect(rates.perSecond('t', 1100, 4000)).toBe(0);
    expect(rates.perSecond('t', 30, 5000)).toBe(30);
    // Two looks in a row measure nothing new.
    expect(rates.perSecond('t', 40, 5020)).toBe(30);
    expect(rates.perSecond('t', 50, 6000)).toBe(20);
    expect(rates.perSecond('t', null, 7000)).toBeNull();
    expect(rates.perSecond('t', 50, 8000)).toBeNull();
    expect(rates.perSecond('other', 1, 8000)).toBeNull();
  });

  it('case 90: the old name of the KV use counts as well, and the newer one goes first', async () => {
    expect(await factsOf('vllm:gpu_cache_usage_perc{model_name="m"} 0.25')).toMatchObject(
      new Map([['KV cache in use', '25 %']]),
    );
    const both = 'vllm:gpu_cache_usage_perc 0.25\nvllm:kv_cache_usage_perc 0.5';
    expect((await factsOf(both)).get('KV cache in use')).toBe('50 %');
    expect((await factsOf('vllm:kv_cache_usage_perc NaN')).has('KV cache in use')).toBe(false);
  });

  it('case 90: counts of several engines are summed, their usage is averaged', async () => {
    const engines = [
      ['0', 2, 1, 0.2],
      ['1', 3, 0, 0.6],
    ] as const;
    const metrics = engines.map(
      ([engine, running, waiting, use]) =>
        `vllm:num_requests_running{engine="${engine}",model_name="m"} ${running}.0
vllm:num_requests_waiting{engine="${engine}",model_name="m"} ${waiting}.0
vllm:kv_cache_usage_perc{engine="${engine}",model_name="m"} ${use}
vllm:num_requests_running{engine="${engine}",model_name="other"} 10.0`,
    );
    const facts = await factsOf(metrics.join('\n'));
    expect(facts.get('requests running')).toBe('5');
    expect(facts.get('requests waiting')).toBe('1');
    expect(facts.get('KV cache in use')).toBe('40 %');
    expect(await backend?.activity?.(modelOf(backend), signal)).toEqual({
      working: 5,
      source: 'vllm:num_requests_running',
    });
    server.reply('/health', status(200, ''));
    expect(await backend?.check(signal)).toMatchObject({ processing: 25, queued: 1 });
  });

  it('case 90: slots are counted in both forms', () => {
    const slots = (next: unknown): unknown => [
      { id: 0, is_processing: true, next_token: next },
      { id: 1, is_processing: false, next_token: next },
    ];
    expect(slotsOf(slots({ n_decoded: 3 }))).toEqual({ busy: 1, total: 2 });
    expect(slotsOf(slots([{ n_decoded: 3 }]))).toEqual({ busy: 1, total: 2 });
  });

  it('case 90: what a server averages itself is no speed', async () => {
    const gauge = 'vllm:avg_generation_throughput_toks_per_s{model_name="m"} 999\n';
    const text = (total: number): string => `${gauge}vllm:generation_tokens_total{model_name="m"} ${total}`;
    let nowMs = 0;
    const ports = { now: () => 0, monotonic: () => nowMs };
    backend = backendAt('vllm', server.url, { ports });
    server.reply('/metrics', status(200, text(100)), status(200, text(150)));
    const speed = async (): Promise<string | undefined> => {
      const details = backend === null ? undefined : await backend.details?.(modelOf(backend), signal);
      return new Map(details?.facts).get('tokens per second, all requests');
    };
    expect(await speed()).toBeUndefined();
    nowMs = 2000;
    expect(await speed()).toBe('25.0');
  });

  it('reads the metrics of a real llama.cpp server', async () => {
    server
      .reply('/props', json({ endpoint_slots: false, endpoint_metrics: true }))
      .reply('/metrics', recorded('llama.cpp/metrics-busy'));
    backend = backendAt('llama.cpp', server.url);
    const check = await backend.check(signal);
    expect(check.processing).toBeGreaterThan(0);
    expect(check.queued).not.toBeNull();
  });
});
