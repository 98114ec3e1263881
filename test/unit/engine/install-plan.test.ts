import { describe, expect, it } from '@jest/globals';
import fs from 'node:fs';
import { offeredGpu } from '../../../src/engine/gpu-offer.js';
import { gpuKindsOf, installPlan } from '../../../src/engine/install-plan.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();

describe('what is installed', () => {
  it('is the engine and the part for this system alone, in one version', () => {
    const plan = installPlan('linux', 'x64', null);
    expect(plan?.packages).toEqual([
      `node-llama-cpp@${plan?.version}`,
      `@node-llama-cpp/linux-x64@${plan?.version}`,
    ]);
    expect(plan?.gpu).toBe(false);
  });

  it.each([
    ['linux', 'x64', 'cuda', ['linux-x64', 'linux-x64-cuda', 'linux-x64-cuda-ext']],
    ['win32', 'x64', 'vulkan', ['win-x64', 'win-x64-vulkan']],
    ['linux', 'arm64', 'cuda', undefined],
    ['darwin', 'arm64', 'vulkan', undefined],
    ['freebsd', 'x64', 'cuda', undefined],
  ] as const)('on %s %s with %s has its parts', (platform, arch, gpu, parts) => {
    expect(installPlan(platform, arch, gpu)?.parts).toEqual(parts);
  });

  it('for a GPU is so much larger, and can use it', () => {
    const plain = installPlan('linux', 'x64', null);
    const cuda = installPlan('linux', 'x64', 'cuda');
    expect(cuda?.gpu).toBe(true);
    expect((cuda?.downloadBytes ?? 0) - (plain?.downloadBytes ?? 0)).toBe(142_898_030 + 176_664_119);
  });

  it('on Apple silicon uses its GPU without a part of its own', () => {
    expect(installPlan('darwin', 'arm64', null)?.gpu).toBe(true);
    expect(gpuKindsOf('darwin', 'arm64')).toEqual([]);
  });
});

describe('the part that is offered', () => {
  it('is that of NVIDIA where its driver is installed, with its size', () => {
    expect(offeredGpu(true, 'linux', 'x64', folder.path())).toEqual({
      kind: 'cuda',
      name: 'NVIDIA',
      downloadBytes: 142_898_030 + 176_664_119,
      diskBytes: 894_774_017,
    });
  });

  it('is that of Vulkan where there is a node to render with', () => {
    expect(offeredGpu(false, 'linux', 'x64', folder.path())).toBeNull();
    fs.writeFileSync(folder.path('card0'), '');
    expect(offeredGpu(false, 'linux', 'x64', folder.path())).toBeNull();
    fs.writeFileSync(folder.path('renderD128'), '');
    expect(offeredGpu(false, 'linux', 'x64', folder.path())?.kind).toBe('vulkan');
  });

  it('is none where there is no such part', () => {
    fs.writeFileSync(folder.path('renderD128'), '');
    expect(offeredGpu(true, 'linux', 'arm64', folder.path())).toBeNull();
  });
});
