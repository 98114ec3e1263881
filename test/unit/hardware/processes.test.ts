import { describe, expect, it } from '@jest/globals';
import { parseListening } from '../../../src/hardware/listening-ports.js';
import {
  parseCommandLine,
  parseProcessMemory,
  parseProcessStat,
} from '../../../src/hardware/process-files.js';
import { isEngine, modelInArguments, serverName } from '../../../src/hardware/server-names.js';

const command = (comm: string, text: string) => parseCommandLine(comm, text.split(' ').join('\0') + '\0');

describe('which processes serve models', () => {
  it.each([
    ['ollama', '/usr/local/bin/ollama serve', 'ollama'],
    ['ollama', '/usr/local/bin/ollama runner --model /x/blobs/sha256-1 --port 4', 'ollama runner'],
    ['ollama', 'ollama run qwen3', null],
    ['ollama', 'ollama', null],
    ['llama-server', './llama-server -m /m/a.gguf', 'llama-server'],
    ['Qwen3-4B-Q4_K_M', '/opt/Qwen3-4B-Q4_K_M.llamafile --server', 'llamafile'],
    ['.ape-1.10', '/root/.ape-1.10 /opt/Qwen3-4B.llamafile --server', 'llamafile'],
    ['vllm', '/venv/bin/python3 /venv/bin/vllm serve Qwen/Qwen3-8B', 'vllm'],
    ['python3', 'python3 -m vllm.entrypoints.openai.api_server --model Qwen/Qwen3-8B', 'vllm'],
    ['VLLM::EngineCor', 'VLLM::EngineCore', 'vllm'],
    ['local-ai', '/usr/bin/local-ai run', 'local-ai'],
    ['litellm', '/usr/bin/python3.11 /usr/local/bin/litellm --config c.yaml', 'litellm'],
    ['node', '/home/u/.lmstudio/.internal/utils/node worker.js', 'LM Studio'],
    ['llmster', 'llmster --headless', 'LM Studio'],
    ['gpt4all', '/opt/gpt4all/bin/gpt4all', 'gpt4all'],
    ['chat', '/home/u/gpt4all/bin/chat', 'gpt4all'],
    ['chat', '/usr/bin/chat', null],
    ['python3', 'python3 train.py --model vllm', null],
    ['vim', 'vim llama-server.c', null],
    ['grep', 'grep -r ollama serve', null],
    ['bash', 'bash', null],
    ['kworker/0:1', '', null],
  ])('%s (%s) is %p', (comm, line, name) => {
    expect(serverName(command(comm, line))).toBe(name);
  });

  it('knows its own engine by the program that it runs', () => {
    expect(isEngine(command('node', 'node /opt/lmapp/dist/engine-child.js'))).toBe(true);
    expect(isEngine(command('node', 'node /opt/lmapp/dist/facts-child.js --poll 1000'))).toBe(false);
  });
});

describe('the model in a command line', () => {
  it.each([
    ['llama-server -m /models/Qwen3-4B-Q4_K_M.gguf -c 4096', 'Qwen3-4B-Q4_K_M'],
    ['llama-server --model=/models/a.gguf', 'a'],
    ['llama-server -m /models/a.gguf --alias small', 'small'],
    ['llama-server -hf ggml-org/gemma-3-4b-it-GGUF', 'ggml-org/gemma-3-4b-it-GGUF'],
    ['ollama runner --model /x/.ollama/models/blobs/sha256-6a0746 --port 3', 'sha256-6a0746'],
    ['python vllm serve Qwen/Qwen3-8B --port 8000', 'Qwen/Qwen3-8B'],
    ['vllm serve --port 8000', null],
    ['/opt/Qwen3-4B.llamafile --server', 'Qwen3-4B'],
    ['llama-server -m', null],
    ['ollama serve', null],
  ])('%s: %p', (line, model) => {
    expect(modelInArguments(command('x', line).args)).toBe(model);
  });

  it('is cut when it is endless, and survives other letters', () => {
    expect(modelInArguments(['x', '-m', 'a'.repeat(5000)])).toHaveLength(120);
    const bytes = Buffer.from('x\0-m\0/m/模型.gguf\0', 'utf8').toString('latin1');
    expect(modelInArguments(parseCommandLine('x', bytes).args)).toBe('模型');
  });
});

describe('files of a process', () => {
  const STAT =
    '42 (a (b) c) S 7 42 42 0 -1 4194560 9 0 0 0 150 50 3 4 20 0 1 0 987654 11 22 18446744073709551615 0 0\n';

  it('reads names with spaces and brackets', () => {
    expect(parseProcessStat(STAT)).toEqual({ comm: 'a (b) c', parent: 7, ticks: 200, startedAt: 987654 });
  });

  it.each(['', '42', '42 (x', '42 (x) S', STAT.replace('150', '-'), STAT.replace('987654', 'x')])(
    '%p tells nothing',
    (text) => expect(parseProcessStat(text)).toBeNull(),
  );

  it('keeps mapped files apart from own memory', () => {
    const status = 'Name:\tx\nVmRSS:\t 9 kB\nRssAnon:\t 300 kB\nRssFile:\t 4000 kB\nRssShmem:\t 20 kB\n';
    expect(parseProcessMemory(status)).toEqual({ ownBytes: 320 * 1024, mappedBytes: 4000 * 1024 });
    expect(parseProcessMemory('VmRSS:\t 9 kB\n')).toEqual({ ownBytes: null, mappedBytes: null });
  });

  it('finds listening sockets only', () => {
    const text = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0100007F:2CAA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 48576 1 0',
      '   1: 0100007F:2CAA 0100007F:8449 01 00000000:00000000 00:00000000 00000000  1000        0 48577 1 0',
      '   2: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0',
      '   3: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0  0 0 77 1',
      'garbage',
    ].join('\n');
    expect(parseListening(text)).toEqual([
      { port: 11434, inode: '48576', uid: 1000 },
      { port: 8080, inode: '77', uid: 0 },
    ]);
  });
});
