import { describe, expect, it } from '@jest/globals';
import { chosenContext } from '../../../src/domain/chosen-context.js';
import { findModel } from '../../../src/domain/find-model.js';
import { NO_FEATURES } from '../../../src/domain/model.js';
import { modelOf } from '../../support/machine.js';

const file = modelOf('llama.cpp@a', '/models/Qwen3-4B-Q4_K_M.gguf', { label: 'Qwen3-4B-Q4_K_M' });
const tagged = modelOf('ollama@b', 'llama3.2:latest', { label: 'llama3.2' });
const other = modelOf('vllm@c', 'llama.cpp/Odd', { label: 'llama.cpp/Odd' });
const all = [file, tagged, other];

describe('a model that is named', () => {
  it('may stand behind its kind with the name that is shown, and without its tag', () => {
    for (const name of ['llama.cpp/Qwen3-4B-Q4_K_M', 'llama.cpp/qwen3-4b-q4_k_m', `llama.cpp/${file.name}`])
      expect(findModel(all, name)).toBe(file);
    for (const name of ['ollama/llama3.2', 'ollama/llama3.2:latest', 'llama3.2', 'Ollama/Llama3.2'])
      expect(findModel(all, name)).toBe(tagged);
  });

  it('is that of the named kind only, unless it is called so itself', () => {
    expect(findModel(all, 'vllm/llama3.2')).toBeNull();
    expect(findModel(all, 'ollama/')).toBeNull();
    expect(findModel(all, 'llama.cpp/Odd')).toBe(other);
  });

  it('gets the context that is chosen under any of these names', () => {
    const info = { kind: 'ollama', features: { ...NO_FEATURES, contextChoice: true } };
    for (const name of [tagged.key, 'ollama/llama3.2:latest', 'ollama/llama3.2', 'llama3.2'])
      expect(chosenContext({ [name]: 8192 }, info, tagged)).toBe(8192);
  });
});
