import { GPU_KINDS, type GpuKind } from '../domain/set-up.js';

/** The engine as it comes from npm: which packages, in which version, how large. Pure, so that it can be shown before anything is done. */

export const ENGINE_PACKAGE = 'node-llama-cpp';

/** Its parts for macOS, Windows and RISC-V come out later than those for Linux; both must be of one version. */
const VERSIONS = { linux: '3.22.1', elsewhere: '3.21.1' } as const;

export interface InstallPlan {
  readonly version: string;
  /** `linux-x64`: the system for which it is, kept with what was installed. */
  readonly system: string;
  /** Names of packages of `@node-llama-cpp`. */
  readonly parts: readonly string[];
  /** `name@version`, as npm takes them. */
  readonly packages: readonly string[];
  /** Bytes over the network, about. */
  readonly downloadBytes: number;
  /** Bytes on the disk, about. */
  readonly diskBytes: number;
  /** A GPU can be used with it. */
  readonly gpu: boolean;
}

/** Of Node's platform and architecture. */
const SYSTEMS: Readonly<Record<string, string>> = {
  'linux x64': 'linux-x64',
  'linux arm64': 'linux-arm64',
  'linux arm': 'linux-armv7l',
  'linux riscv64': 'linux-riscv64',
  'darwin arm64': 'mac-arm64-metal',
  'darwin x64': 'mac-x64',
  'win32 x64': 'win-x64',
  'win32 arm64': 'win-arm64',
};

/** Bytes of the archive at the registry. */
const PART_BYTES: Readonly<Record<string, number>> = {
  'linux-x64': 10_824_547,
  'linux-arm64': 7_340_902,
  'linux-armv7l': 4_342_646,
  'linux-riscv64': 4_781_916,
  'mac-arm64-metal': 4_858_447,
  'mac-x64': 10_809_280,
  'win-x64': 9_787_045,
  'win-arm64': 4_606_830,
  'linux-x64-vulkan': 24_311_427,
  'linux-x64-cuda': 142_898_030,
  'linux-x64-cuda-ext': 176_664_119,
  'win-x64-vulkan': 26_619_567,
  'win-x64-cuda': 138_542_727,
  'win-x64-cuda-ext': 175_417_684,
};
/** The engine without its part for a system, with the packages it needs (some 115). */
const COMMON_BYTES = { download: 35_700_000, disk: 54_000_000 } as const;
/** What archives hold is about so much larger. */
const UNPACKED = 2.8;

/** Null: there is no prebuilt part for this system, or none for this kind of GPU. */
export function installPlan(
  platform: NodeJS.Platform,
  arch: string,
  gpu: GpuKind | null,
): InstallPlan | null {
  const system = SYSTEMS[`${platform} ${arch}`];
  if (system === undefined) return null;
  const further = gpu === null ? [] : gpuParts(system, gpu);
  if (further === null) return null;
  const parts = [system, ...further];
  const version = platform === 'linux' && system !== 'linux-riscv64' ? VERSIONS.linux : VERSIONS.elsewhere;
  const bytes = parts.reduce((sum, part) => sum + (PART_BYTES[part] ?? 0), 0);
  return {
    version,
    system,
    parts,
    packages: [`${ENGINE_PACKAGE}@${version}`, ...parts.map((part) => `@node-llama-cpp/${part}@${version}`)],
    downloadBytes: COMMON_BYTES.download + bytes,
    diskBytes: COMMON_BYTES.disk + Math.round(bytes * UNPACKED),
    gpu: usesGpu(parts),
  };
}

/** Kinds of GPU that have a part for this system. */
export function gpuKindsOf(platform: NodeJS.Platform, arch: string): readonly GpuKind[] {
  return GPU_KINDS.filter((kind) => installPlan(platform, arch, kind) !== null);
}

export function usesGpu(parts: readonly string[]): boolean {
  return parts.some((part) => /-(?:vulkan|cuda|metal)$/.test(part));
}

function gpuParts(system: string, gpu: GpuKind): readonly string[] | null {
  const parts = gpu === 'cuda' ? [`${system}-cuda`, `${system}-cuda-ext`] : [`${system}-vulkan`];
  return parts.every((part) => part in PART_BYTES) ? parts : null;
}
