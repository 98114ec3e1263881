import type { GpuSample, MachineFacts, MachineSample } from '../../src/domain/hardware.js';
import type { ScriptedModel } from '../../test/support/scripted-answers.js';

/** What the README's picture shows: two servers, a machine with a GPU, a question and the middle of its answer. */
export const QUESTION = 'Why does the parser lose the last line?';
export const DRAFT = 'what about CRLF?';

export const THINKING =
  'The reader splits at line ends. A stream may end without one, so what is kept in the buffer is never handed over.';

export const ANSWER = `It waits for a newline that never comes: the last line stays in the decoder's buffer when the stream ends. Hand over what is left:

\`\`\`ts
const rest = decoder.end();
if (rest !== '') emit(rest);
\`\`\`

Two more places depend on it:

- **retry**: a half line must not be parsed as JSON, so drop it when the socket broke
- **日本語 and emoji 🚀**: keep one decoder for the whole stream, or a character that is cut in two is lost`;

/** Tokens a second of the pictured answer. */
export const SPEED = 41.2;

const onDisk = (name: string, gigabytes: number, more: Partial<ScriptedModel> = {}): ScriptedModel => ({
  name,
  digest: Buffer.from(name.padEnd(32, '.')).toString('hex').slice(0, 64),
  sizeBytes: gigabytes * 1e9,
  family: 'llama',
  parameters: '8.0B',
  quantization: 'Q4_K_M',
  contextMax: 32_768,
  capabilities: ['completion'],
  loaded: null,
  ...more,
});

export const OLLAMA_MODELS: readonly ScriptedModel[] = [
  onDisk('qwen3:8b', 5.2, {
    family: 'qwen3',
    capabilities: ['completion', 'tools', 'thinking'],
    loaded: { context: 8192, sizeBytes: 6.9e9, vramBytes: 6.9e9, forSeconds: 299 },
  }),
  onDisk('llama3.2:3b', 2.0),
  onDisk('llama3.3:70b', 42.5),
  onDisk('nomic-embed-text', 0.27, { capabilities: ['embedding'] }),
];

export const LLAMA_CPP_MODELS: readonly ScriptedModel[] = [
  onDisk('smollm2-135m-instruct-q4_1.gguf', 0.097, {
    loaded: { context: 1024, sizeBytes: 97e6, vramBytes: 0, forSeconds: 0 },
  }),
];

/** More than the pane shows: the program that draws the picture logs its own start first. */
export const LOG_LINES: readonly string[] = [
  'time=2026-11-23T12:02:41.004Z level=INFO source=routes.go:1511 msg="Listening on 127.0.0.1:11434 (version 0.13.0)"',
  'time=2026-11-23T12:02:41.377Z level=INFO source=types.go:42 msg="inference compute" id=GPU-0 library=CUDA total="12.0 GiB"',
  'time=2026-11-23T12:02:59.660Z level=INFO source=server.go:400 msg="starting runner" port=40123',
  'time=2026-11-23T12:03:02.118Z level=INFO source=sched.go:517 msg="loaded runners" count=1',
  'time=2026-11-23T12:03:04.902Z level=INFO source=server.go:1289 msg="llama runner started in 2.10 seconds"',
  'time=2026-11-23T12:03:08.120Z level=INFO source=server.go:1327 msg="waiting for llama runner" status="model loaded"',
  'time=2026-11-23T12:03:10.331Z level=WARN source=runner.go:153 msg="truncating input prompt" limit=4096 prompt=5120 keep=4',
];

export const FACTS: MachineFacts = {
  system: 'Linux',
  processor: 'AMD Ryzen 9 5900X',
  cores: 24,
  memoryBytes: 32e9,
  gpus: ['NVIDIA GeForce RTX 4070'],
};

/** Readings of second `index`; waves, so that the histories show something. */
export function sampleAt(index: number): {
  readonly sample: MachineSample;
  readonly gpus: readonly GpuSample[];
} {
  const wave = (period: number): number => (1 + Math.sin((index * 2 * Math.PI) / period)) / 2;
  const cpu = 0.18 + 0.3 * wave(17) + 0.12 * wave(5);
  return {
    sample: {
      cpu,
      cores: Array.from({ length: 24 }, (_, core) => Math.min(1, cpu * (0.6 + ((core * 7) % 10) / 12))),
      memoryUsedBytes: 19.1e9 + 0.6e9 * wave(40),
      memoryTotalBytes: 32e9,
      memoryLimited: false,
      swapUsedBytes: 0,
      swapTotalBytes: 2e9,
      load1: 1.9,
      diskFreeBytes: 212e9,
      netReceivedPerSecond: 12_400,
      netSentPerSecond: 3_100,
    },
    gpus: [
      {
        id: 'GPU-0',
        index: 0,
        name: 'NVIDIA GeForce RTX 4070',
        utilization: 0.55 + 0.41 * wave(13),
        memoryUsedBytes: 7.9e9,
        memoryTotalBytes: 12.0e9,
        temperatureC: 71,
        powerW: 181,
        powerLimitW: 200,
        fan: 0.42,
      },
    ],
  };
}
