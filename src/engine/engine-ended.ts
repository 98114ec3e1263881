/** How the child ended, as the end of a sentence: `signal SIGKILL`, `exit code 134: GGML_ASSERT…`. */
export interface EngineEnd {
  readonly words: string;
  /** By somebody else's signal that cannot be caught, which is how the system takes back memory. */
  readonly killed: boolean;
}

/** The child was gone before it had done the command. */
export class EngineEndedError extends Error {
  override readonly name = 'EngineEndedError';
  readonly end: EngineEnd;

  constructor(end: EngineEnd) {
    super(`The engine ended (${end.words}).`);
    this.end = end;
  }
}
