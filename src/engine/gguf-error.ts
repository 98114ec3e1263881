/**
 * Why a file cannot be read as GGUF. `cut`: it ends within its header; `not-gguf`: something else; `byte-order`, `version`: one that
 * nothing here runs; `damaged`: it contradicts itself or the format; `too-large`: its header is longer than any honest one.
 */
export type GgufProblem = 'cut' | 'not-gguf' | 'byte-order' | 'version' | 'damaged' | 'too-large';

export class GgufError extends Error {
  readonly problem: GgufProblem;

  /** `message`: the end of a sentence that begins with the name of the file. */
  constructor(problem: GgufProblem, message: string) {
    super(message);
    this.name = 'GgufError';
    this.problem = problem;
  }
}
