import { describe, expect, it } from '@jest/globals';
import { tellsLayers } from '../../../src/domain/model-shape.js';
import { shapeOfGguf, shapeOfShow } from '../../../src/domain/read-shape.js';
import { tensorBytes } from '../../../src/domain/tensor-bytes.js';
import {
  CLOUD_SHOW,
  denseShow,
  gemma4Show,
  gptOssShow,
  hybridShow,
  llama32Show,
  withoutTensors,
} from '../../support/show-answers.js';

describe('the shape of a model', () => {
  it('comes from the tensors of a details answer', () => {
    const shape = shapeOf(llama32Show());
    expect(shape).toEqual({
      layers: [{ kind: 'full', count: 28, keyWidth: 1024, valueWidth: 1024 }],
      slidingWindow: null,
      vocabulary: 128256,
      embedding: 3072,
      heads: 24,
      compressed: false,
      weightBytes: 2_011_540_736 - 1024,
      embeddingBytes: 323_205_120,
      tied: true,
      contextMax: 131072,
      assumed: [],
    });
  });

  it('comes from the keys where a server tells no tensors, and says so', () => {
    const shape = shapeOf(withoutTensors(llama32Show()));
    expect(shape?.layers).toEqual([{ kind: 'full', count: 28, keyWidth: 1024, valueWidth: 1024 }]);
    expect(shape).toMatchObject({ weightBytes: null, tied: false, vocabulary: 128256, assumed: ['tensors'] });
  });

  it('takes all heads where those of keys and values are not told: no less than it is', () => {
    const { model_info } = llama32Show();
    const shape = shapeOfShow({ ...model_info, 'llama.attention.head_count_kv': [] }, []);
    expect(shape?.layers).toEqual([{ kind: 'full', count: 28, keyWidth: 3072, valueWidth: 3072 }]);
    expect(shape?.assumed).toContain('heads of keys and values');
  });

  it('knows which layers have a window, where no file tells it', () => {
    expect(shapeOf(gptOssShow(36))?.layers).toEqual([
      { kind: 'sliding', count: 18, keyWidth: 512, valueWidth: 512 },
      { kind: 'full', count: 18, keyWidth: 512, valueWidth: 512 },
    ]);
  });

  it('takes the pattern of the windows as it is told, as a list or as a figure', () => {
    const four = { ...SMALL, layers: 4, architecture: 'new' };
    const count = (pattern: unknown) =>
      shapeOf(
        denseShow({
          ...four,
          keys: { 'attention.sliding_window': 512, 'attention.sliding_window_pattern': pattern },
        }),
      )?.layers.map(({ kind, count }) => `${count} ${kind}`);
    expect(count([true, true, true, false])).toEqual(['3 sliding', '1 full']);
    expect(count(2)).toEqual(['2 sliding', '2 full']);
    expect(count(undefined)).toEqual(['4 full']);
  });

  it('leaves out layers that take the cache of an earlier one', () => {
    expect(shapeOf(gemma4Show())?.layers).toEqual([
      { kind: 'sliding', count: 20, keyWidth: 512, valueWidth: 512 },
      { kind: 'full', count: 4, keyWidth: 1024, valueWidth: 1024 },
    ]);
  });

  it('knows layers that keep a state, by tensors and by keys alone', () => {
    const kinds = (show: ReturnType<typeof hybridShow>) =>
      shapeOf(show)?.layers.map(({ kind, count }) => `${count} ${kind}`);
    expect(kinds(hybridShow())).toEqual(['48 recurrent', '16 full']);
    expect(kinds(withoutTensors(hybridShow()))).toEqual(['48 recurrent', '16 full']);
  });

  it('keeps compressed keys and values as one vector and the rotated part', () => {
    const keys = {
      'attention.kv_lora_rank': 512,
      'rope.dimension_count': 64,
      'attention.key_length_mla': 192,
    };
    const show = withoutTensors(denseShow({ ...SMALL, architecture: 'deepseek2', layers: 61, keys }));
    expect(shapeOf(show)).toMatchObject({
      compressed: true,
      layers: [{ kind: 'full', count: 61, keyWidth: 576, valueWidth: 512 }],
    });
  });

  it('is the same from the header of a file, whose lists have values and lengths', () => {
    const { model_info, tensors } = gptOssShow(24);
    const metadata = new Map<string, unknown>(Object.entries(model_info));
    metadata.set('tokenizer.ggml.tokens', { length: 201088, values: null });
    metadata.set('gptoss.attention.sliding_window_pattern', {
      length: 24,
      values: Array.from({ length: 24 }, (_, i) => i % 2 === 0),
    });
    expect(shapeOfGguf({ metadata, tensors })).toEqual(shapeOf(gptOssShow(24)));
    const few = shapeOfGguf({ metadata, tensors: [] });
    expect(few?.vocabulary).toBe(201088);
  });

  it('is none where a server tells no layers', () => {
    expect(shapeOf(CLOUD_SHOW)).toBeNull();
    expect(shapeOfShow({}, [])).toBeNull();
  });

  it('says that the layers are not known where their widths are not told', () => {
    const { model_info } = llama32Show();
    const shape = shapeOfShow(
      { 'general.architecture': 'llama', 'llama.block_count': model_info['llama.block_count'] },
      [],
    );
    expect(shape && tellsLayers(shape)).toBe(false);
  });

  it.each([
    ['layers without end', { 'llama.block_count': 1e9 }],
    ['a fraction of layers', { 'llama.block_count': 2.5 }],
    ['fewer than none', { 'llama.block_count': -1 }],
    ['a name in place of a figure', { 'llama.block_count': 'many' }],
  ])('is none for %s', (_, wrong) => {
    expect(shapeOfShow({ ...llama32Show().model_info, ...wrong }, [])).toBeNull();
  });

  it('leaves out what is no tensor', () => {
    const { model_info, tensors } = llama32Show();
    const odd = [
      null,
      7,
      {},
      { name: 'x' },
      { name: 'y', type: 'F32', shape: ['a'] },
      { name: 3, type: 4, shape: 5 },
    ];
    expect(shapeOfShow(model_info, [...odd, ...tensors])).toEqual(shapeOf(llama32Show()));
  });

  it('does not trust a list of tensors that lacks a layer: the keys stand in, and the weights are not told', () => {
    const { model_info, tensors } = llama32Show();
    const short = tensors.filter(({ name }) => !name.startsWith('blk.27.'));
    expect(short.length).toBeLessThan(tensors.length);
    const shape = shapeOfShow(model_info, short);
    expect(shape?.weightBytes).toBeNull();
    expect(shape).toEqual(shapeOfShow(model_info, []));
  });

  it('does not know the weights when one tensor is of an unknown type', () => {
    const { model_info, tensors } = llama32Show();
    const shape = shapeOfShow(model_info, [...tensors, { name: 'z', type: 'Q99_X', shape: [32] }]);
    expect(shape?.weightBytes).toBeNull();
    expect(shape?.layers).toEqual(shapeOf(llama32Show())?.layers);
  });
});

describe('the bytes of a tensor', () => {
  it.each([
    ['F32', [3072], 12_288],
    ['Q6_K', [3072, 128256], 323_205_120],
    ['mxfp4', [2880, 32], 48_960],
    ['Q4_0', [32], 18],
  ] as const)('are those of %s', (type, shape, bytes) => {
    expect(tensorBytes(type, shape)).toBe(bytes);
  });

  it.each([
    ['a type that is not known', 'Q99', [32]],
    ['a name of every object', 'constructor', [32]],
    ['no shape', 'F32', []],
    ['a side of 0', 'F32', [0, 5]],
    ['more than can be counted', 'F32', [1e9, 1e9]],
  ] as const)('are unknown for %s', (_, type, shape) => {
    expect(tensorBytes(type, shape)).toBeNull();
  });
});

const SMALL = {
  architecture: 'llama',
  layers: 2,
  embedding: 256,
  vocabulary: 1024,
  heads: 4,
  keyWidth: () => 256,
};

function shapeOf({ model_info, tensors }: ReturnType<typeof llama32Show>) {
  return shapeOfShow(model_info, tensors);
}
