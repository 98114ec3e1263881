import { describe, expect, it } from '@jest/globals';
import { fitOf, largestFit, type FitQuestion } from '../../../src/domain/fit.js';
import type { GpuSample, MachineSample } from '../../../src/domain/hardware.js';
import type { ModelDetails } from '../../../src/domain/model.js';
import { shapeOfShow } from '../../../src/domain/read-shape.js';
import { evictableOf, NO_ROOM, roomOf } from '../../../src/domain/room.js';
import { modelOf, SAMPLE } from '../../support/machine.js';
import { llama32Show, withoutTensors, type ShowAnswer } from '../../support/show-answers.js';

const GIB = 1024 ** 3;
const MIB = 1024 ** 2;

describe('the check whether a model fits', () => {
  it('takes the main memory where there is no GPU, and leaves a margin', () => {
    const needed = (1918.35 + 448 + 256.5 + 150) * MIB;
    expect(fitOf(asked({ free: needed + 1.1 * GIB }))).toMatchObject({
      verdict: 'fits',
      where: 'memory',
      margin: 0.1,
    });
    expect(fitOf(asked({ free: needed + 0.5 * GIB }))).toMatchObject({ verdict: 'tight', missingBytes: 0 });
    const short = fitOf(asked({ free: needed - 0.5 * GIB }));
    expect(short.verdict).toBe('short');
    expect((short.missingBytes ?? 0) / GIB).toBeCloseTo(0.5, 2);
  });

  it('takes the memory of a GPU first, then lets the processor have a part, and else says how much is missing', () => {
    const needed = (1918.35 + 448 + 256.5 + 512) * MIB;
    expect(fitOf(asked({ free: 16 * GIB, gpus: [needed + 1.1 * GIB] })).verdict).toBe('fits');
    const partly = fitOf(asked({ free: 16 * GIB, gpus: [2 * GIB] }));
    expect(partly).toMatchObject({ verdict: 'partly', where: 'GPU memory' });
    expect(partly.missingBytes).toBeCloseTo((partly.neededBytes ?? 0) - 2 * GIB, -1);
    const short = fitOf(asked({ free: 0.5 * GIB, gpus: [1 * GIB] }));
    expect(short.verdict).toBe('short');
    // 80 % of the main memory counts beside the GPU's.
    expect(short.missingBytes).toBeCloseTo((short.neededBytes ?? 0) - 1.4 * GIB, -1);
  });

  it('takes one GPU when it is enough, and several with a runtime for each', () => {
    const one = fitOf(asked({ free: 16 * GIB, gpus: [8 * GIB, 6 * GIB] }));
    expect(one).toMatchObject({ verdict: 'fits', where: 'GPU memory', freeBytes: 8 * GIB });
    const both = fitOf(asked({ free: 16 * GIB, gpus: [3 * GIB, 3 * GIB] }));
    expect(both).toMatchObject({ verdict: 'fits', where: 'memory of 2 GPUs', freeBytes: 6 * GIB });
    expect(both.terms.find(({ name }) => name === 'runtime')?.bytes).toBe(GIB);
  });

  it('counts memory that GPU and processor share once, and of Apple two thirds', () => {
    const apple = (free: number) =>
      fitOf({
        ...asked({ free: 0 }),
        room: roomOf(sampleOf(free, 8 * GIB), [
          gpuOf(0, null, { name: 'Apple M2', shared: true, memoryUsedBytes: null }),
        ]),
      });
    expect(apple(8 * GIB)).toMatchObject({ verdict: 'fits', freeBytes: 0.67 * 8 * GIB });
    expect(apple(3.2 * GIB)).toMatchObject({ verdict: 'tight', freeBytes: 3.2 * GIB });
    expect(apple(1 * GIB)).toMatchObject({ verdict: 'short' });
  });

  it('takes of a GPU what its driver calls free when that is less than what is not used', () => {
    const card = gpuOf(8 * GIB, 12 * GIB, { memoryFreeBytes: 7.5 * GIB });
    expect(roomOf(sampleOf(16 * GIB, 32 * GIB), [card]).gpus[0]?.freeBytes).toBe(7.5 * GIB);
    const silent = gpuOf(8 * GIB, 12 * GIB, { memoryFreeBytes: null });
    expect(roomOf(sampleOf(16 * GIB, 32 * GIB), [silent]).gpus[0]?.freeBytes).toBe(8 * GIB);
    const shared = gpuOf(8 * GIB, 12 * GIB, { memoryFreeBytes: 1 * GIB, shared: true });
    expect(roomOf(sampleOf(8 * GIB, 16 * GIB), [shared]).gpus[0]?.freeBytes).toBe(8 * GIB);
  });

  it('takes a card with memory of its own rather than one that shares the memory', () => {
    const room = roomOf(sampleOf(16 * GIB, 32 * GIB), [
      gpuOf(8 * GIB, 8 * GIB),
      gpuOf(0, 512 * MIB, { shared: true }),
    ]);
    expect(fitOf({ ...asked({ free: 0 }), room })).toMatchObject({ where: 'GPU memory', freeBytes: 8 * GIB });
  });

  it('is unknown where nobody tells of the machine, its memory, or the size, and never a guess', () => {
    expect(fitOf({ ...asked({ free: 0 }), room: NO_ROOM }).verdict).toBe('unknown');
    expect(fitOf({ ...asked({ free: 0 }), room: roomOf(null, []) }).verdict).toBe('unknown');
    const silent = roomOf(sampleOf(16 * GIB, 16 * GIB), [gpuOf(0, null, { memoryUsedBytes: null })]);
    expect(fitOf({ ...asked({ free: 0 }), room: silent }).verdict).toBe('unknown');
    expect(fitOf(asked({ free: 16 * GIB, model: { sizeBytes: null }, show: null })).verdict).toBe('unknown');
    expect(fitOf(asked({ free: 16 * GIB, model: { remote: true } })).verdict).toBe('unknown');
  });

  it('says nothing against a model while further GPUs may be told', () => {
    const room = { ...roomOf(sampleOf(1 * GIB, 16 * GIB), []), settled: false };
    expect(fitOf({ ...asked({ free: 0 }), room }).verdict).toBe('unknown');
  });

  it('by its file alone is only likely: the file and a bit, and too much only when the file alone is', () => {
    const by = (free: number) => fitOf(asked({ free, show: null, model: { sizeBytes: 4e9 } }));
    expect(by(16e9)).toMatchObject({ verdict: 'fits', probably: true, margin: null });
    expect(by(16e9).neededBytes).toBeCloseTo(4.2e9 + 512 * MIB, -1);
    expect(by(4.5e9)).toMatchObject({ verdict: 'tight', probably: true });
    expect(by(3.9e9)).toMatchObject({ verdict: 'short', probably: true });
  });

  it('is coarser where keys are missing', () => {
    const show = withoutTensors(llama32Show());
    expect(fitOf(asked({ free: 16 * GIB, show, model: { sizeBytes: 2e9 } }))).toMatchObject({
      verdict: 'fits',
      margin: 0.25,
    });
  });

  it('counts what the server would unload for it, and names it only when that helps', () => {
    const loaded = modelOf('a', 'other', {
      loadState: 'loaded',
      sizeBytes: 4e9,
      memoryBytes: 6 * GIB,
      vramBytes: 6 * GIB,
    });
    const evictable = [evictableOf(loaded)].flatMap((each) => each ?? []);
    const full = { ...asked({ free: 16 * GIB, gpus: [1 * GIB], total: 8 * GIB }), evictable };
    expect(fitOf(full)).toMatchObject({ verdict: 'fits', freeBytes: 7 * GIB, evicts: [{ label: 'other' }] });
    expect(fitOf({ ...asked({ free: 16 * GIB, gpus: [7 * GIB] }), evictable }).evicts).toEqual([]);
  });

  it('says what is missing once the server has unloaded what it unloads by itself, even when that is not enough', () => {
    const loaded = modelOf('a', 'other', {
      loadState: 'loaded',
      sizeBytes: 1e9,
      memoryBytes: 2e9,
      vramBytes: 0,
    });
    const evictable = [evictableOf(loaded)].flatMap((each) => each ?? []);
    const without = fitOf(asked({ free: 1 * GIB }));
    const fit = fitOf({ ...asked({ free: 1 * GIB }), evictable });
    expect(fit).toMatchObject({ verdict: 'short', freeBytes: GIB + 1e9, evicts: [{ label: 'other' }] });
    expect((without.missingBytes ?? NaN) - (fit.missingBytes ?? NaN)).toBeCloseTo(1e9, -1);
  });

  it('adds of an unloaded model to the main memory only what was no file there', () => {
    const loaded = modelOf('a', 'other', {
      loadState: 'loaded',
      sizeBytes: 4e9,
      memoryBytes: 5e9,
      vramBytes: 0,
    });
    expect(evictableOf(loaded)).toEqual({ key: 'a/other', label: 'other', vramBytes: 0, memoryBytes: 1e9 });
    expect(evictableOf(modelOf('a', 'b'))).toBeNull();
  });

  it('is corrected by what the last load really took, most by the one with the same context', () => {
    const load = { model: 'a/m', estimatedBytes: 3e9, source: 'ollama', at: 1 };
    const loads = [
      { ...load, contextTokens: 4096, realBytes: 4e9 },
      { ...load, contextTokens: 65536, realBytes: 2e9 },
    ];
    const plain = fitOf(asked({ free: 16 * GIB })).neededBytes ?? NaN;
    const corrected = fitOf({ ...asked({ free: 16 * GIB }), chosenTokens: 4096, loads });
    expect(corrected.neededBytes).toBeCloseTo(plain + 1e9, -1);
    expect(corrected.terms.at(-1)).toMatchObject({ name: 'learned', bytes: 1e9 });
    const large = { ...asked({ free: 16 * GIB }), chosenTokens: 60000 };
    expect((fitOf(large).neededBytes ?? NaN) - (fitOf({ ...large, loads }).neededBytes ?? NaN)).toBeCloseTo(
      1e9,
      -1,
    );
  });
});

describe('the context that a check is for', () => {
  const contextOf = (change: Partial<FitQuestion>) =>
    fitOf({ ...asked({ free: 16 * GIB }), ...change }).context;

  it('is the chosen one, else that of the model file, of its last load, by the memory of the GPU', () => {
    const loads = [
      { model: 'a/m', contextTokens: 12288, estimatedBytes: 3e9, realBytes: 3e9, source: 'o', at: 1 },
    ];
    const file = detailsOf(llama32Show(), [['num_ctx', '8192']]);
    expect(contextOf({ chosenTokens: 16384, details: file, loads })).toEqual({
      tokens: 16384,
      source: 'chosen',
    });
    expect(contextOf({ details: file, loads })).toEqual({ tokens: 8192, source: 'of its model file' });
    expect(contextOf({ loads })).toEqual({ tokens: 12288, source: 'of its last load' });
    expect(contextOf({})).toEqual({ tokens: 4096, source: 'usual without a GPU' });
    const small = roomOf(sampleOf(GIB, GIB), [gpuOf(8 * GIB, 8 * GIB)]);
    expect(contextOf({ room: small })).toEqual({ tokens: 4096, source: 'by the memory of the GPU' });
    const large = (total: number) =>
      contextOf({ room: roomOf(sampleOf(GIB, GIB), [gpuOf(total, total)]) }).tokens;
    expect([large(22 * GIB), large(24 * GIB), large(48 * GIB)]).toEqual([4096, 32768, 131072]);
  });

  it('is as it is loaded for a loaded model, and assumed for servers that choose by themselves', () => {
    const loaded = modelOf('a', 'm', { loadState: 'loaded', contextAllocated: 24576 });
    expect(contextOf({ model: loaded })).toEqual({ tokens: 24576, source: 'as it is loaded' });
    expect(contextOf({ kind: 'lmstudio' })).toEqual({ tokens: 4096, source: 'assumed' });
  });

  it('is what the engine of this machine would take: what fits the free memory, anew in each run', () => {
    const loads = [
      { model: 'a/m', contextTokens: 12288, estimatedBytes: 3e9, realBytes: 3e9, source: 'o', at: 1 },
    ];
    const embedded = { kind: 'embedded', loads } as const;
    expect(contextOf(embedded)).toEqual({ tokens: 8192, source: 'by the free memory' });
    const little = { ...NO_ROOM, memoryBytes: 3e9 };
    expect(contextOf({ ...embedded, room: little }).tokens).toBe(2048);
    expect(contextOf({ kind: 'embedded', details: null }).source).toBe('assumed');
  });

  it('is at most what the model can', () => {
    expect(contextOf({ model: modelOf('a', 'm', { contextMax: 2048 }) }).tokens).toBe(2048);
  });
});

describe('the largest context that fits now', () => {
  it('makes the model fit, and one step more does not', () => {
    const question = asked({ free: 16 * GIB, gpus: [6 * GIB] });
    const tokens = largestFit(question) ?? NaN;
    expect(fitOf({ ...question, chosenTokens: tokens }).verdict).toBe('fits');
    expect(fitOf({ ...question, chosenTokens: tokens + 256 }).verdict).not.toBe('fits');
  });

  it('is 0 without any, and unknown where the layers or the memory are', () => {
    expect(largestFit(asked({ free: 1 * GIB }))).toBe(0);
    expect(largestFit(asked({ free: 16 * GIB, show: null }))).toBeNull();
    expect(largestFit({ ...asked({ free: 1 }), room: NO_ROOM })).toBeNull();
  });
});

interface Asked {
  /** Bytes of the main memory and of each GPU. */
  readonly free: number;
  readonly gpus?: readonly number[];
  readonly total?: number;
  readonly show?: ShowAnswer | null;
  readonly model?: Parameters<typeof modelOf>[2];
}

function asked({ free, gpus = [], total, show = llama32Show(), model = {} }: Asked): FitQuestion {
  return {
    model: modelOf('a', 'm', { contextMax: 131072, sizeBytes: 2.02e9, ...model }),
    kind: 'ollama',
    details: show && detailsOf(show),
    room: roomOf(
      sampleOf(free, 64 * GIB),
      gpus.map((bytes) => gpuOf(bytes, total ?? bytes)),
    ),
    evictable: [],
    chosenTokens: null,
    loads: [],
  };
}

function detailsOf(show: ShowAnswer, parameters: ModelDetails['parameters'] = []): ModelDetails {
  const texts = { license: null, system: null, template: null, modifiedAt: null, facts: [] };
  return { ...texts, parameters, shape: shapeOfShow(show.model_info, show.tensors) };
}

function sampleOf(free: number, total: number): MachineSample {
  return { ...SAMPLE, memoryTotalBytes: total, memoryUsedBytes: total - free };
}

function gpuOf(free: number, total: number | null, change: Partial<GpuSample> = {}): GpuSample {
  return {
    id: `gpu-${free}`,
    index: 0,
    name: 'RTX',
    utilization: null,
    memoryTotalBytes: total,
    memoryUsedBytes: total === null ? null : total - free,
    temperatureC: null,
    powerW: null,
    powerLimitW: null,
    fan: null,
    ...change,
  };
}
