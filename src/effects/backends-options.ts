import type { RequestTrace } from '../backends/backend.js';
import type { Limits } from '../domain/limits.js';
import type { BackendInfo, Model } from '../domain/model.js';
import type { BackendSetting } from '../domain/settings.js';
import type { EmbeddedSource } from '../engine/source.js';
import type { AppEvent } from '../events/catalogue.js';
import type { Ports } from '../ports.js';

/** A server as the disk remembers it. */
export interface KnownServer {
  readonly info: BackendInfo;
  readonly models: readonly Model[];
}

export interface BackendsOptions {
  readonly ports: Ports;
  readonly publish: (event: AppEvent) => void;
  /** Named by --url; they come first. */
  readonly urls: readonly string[];
  readonly configured: readonly BackendSetting[];
  readonly keyOf: (setting: BackendSetting) => string | null;
  readonly discovery: boolean;
  /** Only the mock is offered. */
  readonly mock: boolean;
  /** The engine of this machine: in the list when it is installed, or when `wanted` (`--embedded`). Absent: never. */
  readonly embedded?: { readonly source: EmbeddedSource; readonly wanted: boolean };
  readonly focused: () => boolean;
  readonly known: readonly KnownServer[];
  readonly limitsFor: (url: string) => Limits;
  /** For the debug log. */
  readonly onRequest?: (trace: RequestTrace) => void;
}
