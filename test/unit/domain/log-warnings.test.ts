import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import path from 'node:path';
import { warningIn, type LogWarningKind } from '../../../src/domain/log-warnings.js';
import { createLineParser } from '../../../src/logs/parse.js';

const NOW = Date.parse('2026-11-23T21:00:00Z');
/** As the line comes into the log. */
const kindOf = (raw: string): LogWarningKind | null => {
  const [line] = createLineParser('server').parse([raw], NOW, false);
  return line ? (warningIn(line)?.kind ?? null) : null;
};

describe('what a line of a log warns of', () => {
  it.each<[LogWarningKind, string]>([
    [
      'cut',
      'time=2026-11-23T20:49:52.123Z level=WARN source=runner.go:187 msg="truncating input prompt" limit=1026 prompt=5010 keep=4 new=1026',
    ],
    [
      'cut',
      'time=2026-11-23T20:49:52.123Z level=DEBUG source=cache.go:231 msg="context limit hit - shifting" id=0 limit=2048 input=2048 keep=4 discard=1022',
    ],
    [
      'cut',
      '0.07.935.631 W slot   operator(): id  0 | task 0 | slot context shift, n_keep = 0, n_left = 255, n_discard = 127',
    ],
    [
      'cut',
      '0.07.935.631 W slot update_slots: id  0 | task 7 | input truncated, n_ctx = 512, n_keep = 0, n_left = 512, n_prompt_tokens = 431',
    ],
    [
      'too-long',
      '0.06.810.495 E srv    send_error: task id = 38, error: request (3031 tokens) exceeds the available context size (512 tokens), try increasing it',
    ],
    ['too-long', 'ERROR: prompt is too long: 9000 tokens > 4096 maximum'],
    [
      'memory',
      'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 13285.50 MiB on device 0: cudaMalloc failed: out of memory',
    ],
    ['memory', 'alloc_tensor_range: failed to allocate CUDA0 buffer of size 1879048192'],
    ['memory', 'llama_model_load: error loading model: unable to allocate CUDA0 buffer'],
    [
      'memory',
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. GPU 0 has a total capacity of 23.64 GiB',
    ],
    ['memory', 'ggml_vulkan: Device memory allocation of size 4294967296 failed. ErrorOutOfDeviceMemory'],
    [
      'memory',
      'Sep 15 12:08:17 box kernel: Out of memory: Killed process 571 (llama-server) total-vm:2071252kB, anon-rss:257104kB',
    ],
    [
      'memory',
      'Sep 15 12:08:17 box kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),task=ollama,pid=4182,uid=998',
    ],
    [
      'memory',
      'time=2026-11-23T20:49:52.123Z level=WARN source=server.go:170 msg="model request too large for system" error="model requires more system memory (9.5 GiB) than is available (7.1 GiB)"',
    ],
    ['offload', 'load_tensors: offloaded 12/33 layers to GPU'],
    [
      'offload',
      'time=2026-11-23T20:49:52.123Z level=INFO source=server.go:138 msg=offload library=cuda layers.requested=-1 layers.model=33 layers.offload=12 layers.split=[]',
    ],
    [
      'cache',
      'WARNING 05-09 00:49:33 scheduler.py:1057 Sequence group 0 is preempted by PreemptionMode.RECOMPUTE mode because there is not enough KV cache space. This can affect the end-to-end performance.',
    ],
    [
      'cache',
      '0.31.156.160 W srv  update_slots: failed to find free space in the KV cache, retrying with smaller batch size, i = 0, n_batch = 256, ret = 1',
    ],
  ])('is %s in %s', (kind, raw) => {
    expect(kindOf(raw)).toBe(kind);
  });

  it('is nothing where all layers are on the GPU, and where memory is only talked about', () => {
    for (const raw of [
      '0.00.038.593 I load_tensors: offloaded 13/13 layers to GPU',
      'INFO 11-23 20:49:52 gpu_model_runner.py:1843] Model loading took 4.5 GiB memory and 2.1 seconds',
      'srv    load_model: prompt cache is enabled, size limit: 8192 MiB',
      "INFO 11-23 20:49:52 logger.py:43] Received request chatcmpl-a269: prompt: 'why is my GPU out of memory?', params: SamplingParams(n=1)",
      '0.07.1.1 D srv  log_server_r: request: {"messages":[{"role":"user","content":"what does cudaMalloc failed mean"}]}',
    ])
      expect([raw, kindOf(raw)]).toEqual([raw, null]);
  });

  it('tells apart a model of which no layer is on a GPU', () => {
    const [line] = createLineParser('x').parse(['load_tensors: offloaded 0/33 layers to GPU'], NOW, false);
    expect(line && warningIn(line)).toEqual({ kind: 'offload', noLayers: true, start: 14 });
  });

  it('finds in the recorded logs of whole runs what is there and nothing else', () => {
    const found = ['ollama-serve.log', 'llama-server.log', 'llama-router.log'].flatMap((name) => {
      const raws = fs.readFileSync(path.resolve('test/fixtures/logs', name), 'utf8').split('\n');
      return createLineParser(name)
        .parse(raws, NOW, false)
        .flatMap((line) => {
          const warning = warningIn(line);
          return warning
            ? [`${name} ${warning.kind} ${/exceeds|truncating|offloaded.*/.exec(line.text)?.[0]}`]
            : [];
        });
    });
    expect([...new Set(found)]).toEqual(['llama-server.log too-long exceeds']);
  });

  it('looks at the beginning of a long line only', () => {
    expect(
      warningIn({ at: null, level: null, source: 'x', text: `${'a '.repeat(600)}out of memory` }),
    ).toBeNull();
  });
});
