/** How many layers of one kind a model has, and what one of them keeps. Layers that take the cache of an earlier one are not counted. */
export type LayerGroup =
  /** Keys and values of every token (`full`), or of those in the sliding window. Widths count numbers of one token: heads × head. */
  | {
      readonly kind: 'full' | 'sliding';
      readonly count: number;
      readonly keyWidth: number;
      readonly valueWidth: number;
    }
  /** A state of one size, whatever the context: Mamba, gated delta nets. Bytes per sequence and layer. */
  | { readonly kind: 'recurrent'; readonly count: number; readonly stateBytes: number };

/** What of a model decides over the memory that it takes. Counts and bytes; null: not told. */
export interface ModelShape {
  readonly layers: readonly LayerGroup[];
  /** Tokens in a sliding window. */
  readonly slidingWindow: number | null;
  readonly vocabulary: number | null;
  readonly embedding: number | null;
  readonly heads: number | null;
  /** Keys and values are kept compressed (MLA); builds differ in whether they keep the values too, which is assumed here. */
  readonly compressed: boolean;
  /** All tensors. */
  readonly weightBytes: number | null;
  /** The table of the words' embeddings, which stays in main memory. */
  readonly embeddingBytes: number | null;
  /** The output takes the same table, so that a GPU gets a copy of it. */
  readonly tied: boolean;
  /** The model's own maximum of tokens. */
  readonly contextMax: number | null;
  /** What was not told and is assumed for the worse: `values per layer`. Estimates are coarser then. */
  readonly assumed: readonly string[];
}

/** A tensor as a header or `/api/show` tells it; shapes have the fastest dimension first. */
export interface ShapeTensor {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly number[];
}

/** Whether the shape tells what the layers keep; without that nothing is known of the context's memory. */
export function tellsLayers(shape: ModelShape): boolean {
  return !shape.assumed.includes('layers');
}
