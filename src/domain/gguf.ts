/** A value of a GGUF header. Numbers are finite; 64 bit integers that a number cannot hold exactly are left out, with their key. */
export type GgufValue = string | number | boolean | GgufArray;

/**
 * A list of a header. Those per layer (`….attention.head_count_kv`, `….attention.sliding_window_pattern`) keep their values; the long
 * ones (words of a tokenizer) only their length.
 */
export interface GgufArray {
  readonly length: number;
  /** Null: longer than what is kept, or a list of lists. */
  readonly values: readonly (string | number | boolean)[] | null;
}

export interface GgufTensor {
  readonly name: string;
  /** `Q4_K`, `F32`; `type 99` for one that is not known here. */
  readonly type: string;
  /** Fastest dimension first, as in the file. */
  readonly shape: readonly number[];
  /** From the start of the tensors, in bytes. */
  readonly offset: number;
  /** Null for a type that is not known here. */
  readonly sizeBytes: number | null;
}

/** What stands before the tensors of a GGUF file. Hostile until proven otherwise: texts are not sanitised, numbers not plausible. */
export interface GgufHeader {
  /** Of the format: 2 or 3. */
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: readonly GgufTensor[];
  /** The file must be at least so long (counted from where the GGUF begins); a shorter one is not complete. */
  readonly neededBytes: number;
}

/** Names and sizes of the types of tensors: numbers per block, and bytes of a block. As in ggml-common.h of llama.cpp. */
export const TENSOR_TYPES: Readonly<Record<number, readonly [name: string, numbers: number, bytes: number]>> =
  {
    0: ['F32', 1, 4],
    1: ['F16', 1, 2],
    2: ['Q4_0', 32, 18],
    3: ['Q4_1', 32, 20],
    6: ['Q5_0', 32, 22],
    7: ['Q5_1', 32, 24],
    8: ['Q8_0', 32, 34],
    9: ['Q8_1', 32, 36],
    10: ['Q2_K', 256, 84],
    11: ['Q3_K', 256, 110],
    12: ['Q4_K', 256, 144],
    13: ['Q5_K', 256, 176],
    14: ['Q6_K', 256, 210],
    15: ['Q8_K', 256, 292],
    16: ['IQ2_XXS', 256, 66],
    17: ['IQ2_XS', 256, 74],
    18: ['IQ3_XXS', 256, 98],
    19: ['IQ1_S', 256, 50],
    20: ['IQ4_NL', 32, 18],
    21: ['IQ3_S', 256, 110],
    22: ['IQ2_S', 256, 82],
    23: ['IQ4_XS', 256, 136],
    24: ['I8', 1, 1],
    25: ['I16', 1, 2],
    26: ['I32', 1, 4],
    27: ['I64', 1, 8],
    28: ['F64', 1, 8],
    29: ['IQ1_M', 256, 56],
    30: ['BF16', 1, 2],
    34: ['TQ1_0', 256, 54],
    35: ['TQ2_0', 256, 66],
    39: ['MXFP4', 32, 17],
    40: ['NVFP4', 64, 36],
    41: ['Q1_0', 128, 18],
    42: ['Q2_0', 64, 18],
  };
