import type { Fault } from '../domain/fault.js';
import type { BackendCheck, BackendInfo, ServerOrigin } from '../domain/model.js';

/** A model file that a server can be started with. */
export interface StartFile {
  readonly path: string;
  readonly label: string;
  readonly sizeBytes: number;
}

/** Of servers: found and watched, added by the user, started from here. */
export type ServerEvent =
  | { readonly type: 'backends.searched'; readonly found: number }
  /** `fixed`: named by a flag, the environment or the configuration; listed even when away. `rank` orders the tree. */
  | {
      readonly type: 'backend.found';
      readonly backend: BackendInfo;
      readonly fixed: boolean;
      readonly rank: number;
      /** Absent in records of earlier versions. */
      readonly origin?: ServerOrigin;
    }
  /** `nextTryMs`: epoch ms of the next question to a server that is away. */
  | {
      readonly type: 'backend.checked';
      readonly backendId: string;
      readonly check: BackendCheck;
      readonly nextTryMs?: number;
    }
  /** It is not listed any more. */
  | { readonly type: 'backend.removed'; readonly backendId: string }
  | {
      readonly type: 'backend.lost';
      readonly backendId: string;
      readonly fault: Fault;
      readonly nextTryMs?: number;
    }
  // A new server
  /**
   * What stands behind an address that is being added, as it was typed. `url` null: it is no address. `kind` null with a fault: why it
   * cannot be told. `named`: the user told the kind.
   */
  | {
      readonly type: 'server.probed';
      readonly address: string;
      readonly url: string | null;
      readonly kind: string | null;
      readonly named: boolean;
      readonly version: string | null;
      /** Null: not told. */
      readonly models: number | null;
      readonly fault: Fault | null;
    }
  | {
      readonly type: 'server.saved';
      readonly url: string;
      readonly problem: string | null;
      readonly hint: string | null;
    }
  // Servers that this program starts
  /** Kinds whose program is on this machine. */
  | { readonly type: 'servers.installed'; readonly kinds: readonly string[] }
  /** The model files that a server could be started with. */
  | {
      readonly type: 'server.files.found';
      readonly backendId: string;
      readonly files: readonly StartFile[];
    }
  /** `command` as it would be typed; `logFile` has its output. */
  | {
      readonly type: 'server.started';
      readonly backendId: string;
      readonly pid: number;
      readonly command: string;
      readonly logFile: string;
    }
  | {
      readonly type: 'server.start.failed';
      readonly backendId: string;
      readonly message: string;
      readonly hint: string;
    }
  /** `wanted`: it was stopped from here. `lastLine`: of its output. */
  | {
      readonly type: 'server.exited';
      readonly backendId: string;
      readonly wanted: boolean;
      readonly how: string;
      readonly lastLine: string | null;
    };
