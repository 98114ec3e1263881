/** Answers of `/api/show` written after real models: their keys with empty lists, as Ollama tells them without `verbose`, and tensors. */
export interface ShowAnswer {
  readonly model_info: Readonly<Record<string, unknown>>;
  readonly tensors: readonly {
    readonly name: string;
    readonly type: string;
    readonly shape: readonly number[];
  }[];
}

type Tensor = ShowAnswer['tensors'][number];

interface Dense {
  readonly architecture: string;
  readonly layers: number;
  readonly embedding: number;
  readonly vocabulary: number;
  readonly heads: number;
  readonly keyWidth: (layer: number) => number;
  readonly valueWidth?: (layer: number) => number;
  readonly tied?: boolean;
  readonly keys?: Readonly<Record<string, unknown>>;
}

/** A model whose layers have attention of the given widths; the other tensors are left out where nothing depends on them. */
export function denseShow(model: Dense): ShowAnswer {
  const { embedding, vocabulary } = model;
  const tensors: Tensor[] = [tensor('token_embd.weight', 'F16', embedding, vocabulary)];
  if (model.tied !== true) tensors.push(tensor('output.weight', 'F16', embedding, vocabulary));
  for (let i = 0; i < model.layers; i++)
    tensors.push(
      tensor(`blk.${i}.attn_norm.weight`, 'F32', embedding),
      tensor(`blk.${i}.attn_k.weight`, 'Q4_K', embedding, model.keyWidth(i)),
      tensor(`blk.${i}.attn_v.weight`, 'Q4_K', embedding, (model.valueWidth ?? model.keyWidth)(i)),
    );
  return { model_info: infoOf(model), tensors };
}

function infoOf({ architecture, layers, embedding, heads, keys = {} }: Dense): ShowAnswer['model_info'] {
  return {
    'general.architecture': architecture,
    'tokenizer.ggml.tokens': null,
    [`${architecture}.block_count`]: layers,
    [`${architecture}.embedding_length`]: embedding,
    [`${architecture}.attention.head_count`]: heads,
    ...Object.fromEntries(Object.entries(keys).map(([name, value]) => [`${architecture}.${name}`, value])),
  };
}

/** Llama 3.2 3B as Q4_K_M, every tensor of it: half of the layers have their values and the way down as Q6_K. */
export function llama32Show(): ShowAnswer {
  const tensors: Tensor[] = [
    tensor('token_embd.weight', 'Q6_K', 3072, 128256),
    tensor('output_norm.weight', 'F32', 3072),
    tensor('rope_freqs.weight', 'F32', 64),
  ];
  for (let i = 0; i < 28; i++) {
    const better = i < 3 || i >= 24 || (i - 3) % 3 === 2 ? 'Q6_K' : 'Q4_K';
    tensors.push(
      tensor(`blk.${i}.attn_norm.weight`, 'F32', 3072),
      tensor(`blk.${i}.attn_q.weight`, 'Q4_K', 3072, 3072),
      tensor(`blk.${i}.attn_k.weight`, 'Q4_K', 3072, 1024),
      tensor(`blk.${i}.attn_v.weight`, better, 3072, 1024),
      tensor(`blk.${i}.attn_output.weight`, 'Q4_K', 3072, 3072),
      tensor(`blk.${i}.ffn_norm.weight`, 'F32', 3072),
      tensor(`blk.${i}.ffn_gate.weight`, 'Q4_K', 3072, 8192),
      tensor(`blk.${i}.ffn_up.weight`, 'Q4_K', 3072, 8192),
      tensor(`blk.${i}.ffn_down.weight`, better, 8192, 3072),
    );
  }
  const info = infoOf({
    architecture: 'llama',
    layers: 28,
    embedding: 3072,
    vocabulary: 128256,
    heads: 24,
    keyWidth: () => 1024,
    keys: {
      context_length: 131072,
      vocab_size: 128256,
      'attention.head_count_kv': 8,
      'attention.key_length': 128,
    },
  });
  return { model_info: info, tensors };
}

/** gpt-oss: every second layer, the first included, has a window of 128 tokens. */
export function gptOssShow(layers: number): ShowAnswer {
  return denseShow({
    architecture: 'gptoss',
    layers,
    embedding: 2880,
    vocabulary: 201088,
    heads: 64,
    keyWidth: () => 512,
    keys: { context_length: 131072, 'attention.sliding_window': 128, expert_count: layers > 24 ? 128 : 32 },
  });
}

/** gemma 3 27B: every sixth layer looks at everything. */
export function gemma3Show(): ShowAnswer {
  return denseShow({
    architecture: 'gemma3',
    layers: 62,
    embedding: 5376,
    vocabulary: 262208,
    heads: 32,
    keyWidth: () => 2048,
    tied: true,
    keys: { context_length: 131072, 'attention.sliding_window': 1024, 'attention.key_length': 128 },
  });
}

/** gemma 4 E4B: other heads in the windows, and the last 18 layers take the cache of earlier ones. Lists per layer are emptied. */
export function gemma4Show(): ShowAnswer {
  return denseShow({
    architecture: 'gemma4',
    layers: 42,
    embedding: 2560,
    vocabulary: 262144,
    heads: 8,
    keyWidth: (layer) => (layer % 6 === 5 ? 1024 : 512),
    tied: true,
    keys: {
      context_length: 131072,
      'attention.sliding_window': 512,
      'attention.sliding_window_pattern': null,
      'attention.head_count_kv': null,
      'attention.key_length': 512,
      'attention.value_length': 512,
      'attention.key_length_swa': 256,
      'attention.value_length_swa': 256,
      'attention.shared_kv_layers': 18,
    },
  });
}

/** A hybrid like Qwen 3.5 27B: every fourth layer has attention, the others keep a state. */
export function hybridShow(): ShowAnswer {
  const { model_info, tensors } = denseShow({
    architecture: 'qwen35',
    layers: 64,
    embedding: 5120,
    vocabulary: 248320,
    heads: 24,
    keyWidth: () => 1024,
    keys: {
      context_length: 262144,
      'attention.head_count_kv': null,
      'attention.key_length': 256,
      'ssm.conv_kernel': 4,
      'ssm.inner_size': 6144,
      'ssm.group_count': 16,
      'ssm.state_size': 128,
      full_attention_interval: 4,
    },
  });
  const recurrent = (name: string): boolean =>
    /^blk\.\d+\.attn_[kv]/.test(name) && (Number(name.split('.')[1]) + 1) % 4 !== 0;
  return {
    model_info,
    tensors: tensors.flatMap((each) => {
      if (!recurrent(each.name)) return [each];
      const layer = each.name.split('.')[1];
      return each.name.includes('attn_k')
        ? [
            tensor(`blk.${layer}.attn_qkv.weight`, 'Q4_K', 5120, 10240),
            tensor(`blk.${layer}.ssm_conv1d.weight`, 'F32', 4, 10240),
          ]
        : [];
    }),
  };
}

/** A model of Ollama's cloud. */
export const CLOUD_SHOW: ShowAnswer = { model_info: { 'general.architecture': 'qwen3' }, tensors: [] };

/** The same without its tensors, as old servers tell it. */
export function withoutTensors({ model_info }: ShowAnswer): ShowAnswer {
  return { model_info, tensors: [] };
}

function tensor(name: string, type: string, ...shape: number[]): Tensor {
  return { name, type, shape };
}
