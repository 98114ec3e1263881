import type { Environment } from '../ports.js';
import type { BytesAnswer } from '../wire/bytes.js';
import type { WireClock } from '../wire/http.js';
import type { WireError } from '../wire/wire-error.js';

/** One file to be fetched. */
export interface FileSource {
  readonly url: string;
  /** `Authorization` for the origin of the address. */
  readonly authorization: string | null;
  /** What it is called on the disk, in folders below that of the models. */
  readonly name: string;
  /** Null: told by the server at the download. */
  readonly sizeBytes: number | null;
  readonly sha256: string | null;
  /** The bytes that it begins with. */
  readonly magic: 'GGUF' | 'PK\x03\x04';
  /** What a server's refusal means, where that is more than its status. */
  readonly refusal: (status: number) => WireError | null;
  /** Size and sha256 as the headers of the answer tell them; only asked for what is not known. */
  readonly told: (answer: BytesAnswer) => {
    readonly sizeBytes: number | null;
    readonly sha256: string | null;
  };
}

/** What questions to the world need. */
export interface Reach {
  readonly env: Environment;
  readonly clock: WireClock;
  readonly signal: AbortSignal;
  readonly answerTimeoutMs: number;
  readonly idleTimeoutMs: number;
}
