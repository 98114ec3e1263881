import { TENSOR_TYPES } from './gguf.js';

const BLOCKS = new Map(
  Object.values(TENSOR_TYPES).map(([name, numbers, bytes]) => [name, { numbers, bytes }]),
);

/** Bytes of a tensor; null for a type or a shape that cannot be. */
export function tensorBytes(type: string, shape: readonly number[]): number | null {
  const block = BLOCKS.get(type.toUpperCase());
  if (!block || shape.length === 0 || shape.some((side) => !Number.isSafeInteger(side) || side <= 0))
    return null;
  const bytes = Math.ceil(shape.reduce((all, side) => all * side, 1) / block.numbers) * block.bytes;
  return Number.isSafeInteger(bytes) ? bytes : null;
}
