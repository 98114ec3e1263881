import { afterEach, describe, expect, it } from '@jest/globals';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import { closeDashboards, startDashboard } from '../support/dashboard.js';
import { PLAIN_MODEL, startScriptedServer, type ScriptedServer } from '../support/scripted-server.js';

const servers: ScriptedServer[] = [];
const pages: http.Server[] = [];
afterEach(async () => {
  await closeDashboards();
  for (const server of servers.splice(0)) await server.close();
  for (const page of pages.splice(0)) {
    page.closeAllConnections();
    page.close();
  }
});

async function ollama(model: string): Promise<string> {
  const models = [{ ...PLAIN_MODEL, name: model, digest: model.charCodeAt(0).toString(16).repeat(32) }];
  const server = await startScriptedServer({ kind: 'ollama', models });
  servers.push(server);
  return server.url;
}

function metrics(text: string): Promise<string> {
  const page = http.createServer((_, response) => response.end(text));
  pages.push(page);
  return new Promise((resolve) =>
    page.listen(0, '127.0.0.1', () => resolve(`http://localhost:${(page.address() as AddressInfo).port}`)),
  );
}

const here = `Machine · ${os.hostname().split('.')[0] ?? ''}`;

describe('the machine pane', () => {
  it('follows the server of the selected model from this machine to another one and back', async () => {
    const there = await ollama('there:1b');
    const page = await metrics(
      'node_memory_MemTotal_bytes 512e9\nnode_memory_MemAvailable_bytes 500e9\nvllm:num_requests_running 2\nvllm:num_requests_waiting 7\n',
    );
    const at = await startDashboard({
      urls: [await ollama('here:1b')],
      settings: { backends: [{ url: there, machine: page }] },
    });
    await at.sees('there:1b');
    await at.sees(here);
    await at.sees(/RAM .*\d GB/);
    expect(at.screen()).not.toContain('512.0 GB');

    at.type('\t\tG\r');
    await at.sees('Machine · localhost');
    await at.sees('12.0 / 512.0 GB', 8000);
    await at.sees('vLLM 2 running  7 waiting');
    expect(at.screen()).toMatch(/CPU .* — /);

    at.type('\t\tgj\r');
    await at.sees(here);
    await at.misses('512.0 GB');
  });

  it('shows names of cards without the bytes in them that no cell shows', async () => {
    const page = await metrics(
      'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",modelName="RTX \u001b[31m4090\u0007"} 42\nDCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-a"} 71\nDCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a"} 181\n',
    );
    const there = await ollama('there:1b');
    const at = await startDashboard({ gpu: true, settings: { backends: [{ url: there, machine: page }] } });
    await at.sees('GPU0 RTX 4090      42 % 71 °C 181 W', 8000);
  });

  it('dims what a machine told when it says no more, sooner than where it is only late', async () => {
    let answers = true;
    const page = http.createServer((_, response) =>
      answers ? response.end('node_load1 3\n') : response.destroy(),
    );
    pages.push(page);
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const address = `http://localhost:${(page.address() as AddressInfo).port}`;
    const there = await ollama('there:1b');
    const at = await startDashboard({ settings: { backends: [{ url: there, machine: address }] } });
    await at.sees('load 3.0', 8000);
    answers = false;
    at.clock.skip(5000);
    await at.sees(() => paneText(at.screen()).includes('again in'), 8000);
    expect(at.screen()).not.toContain('no new reading');
    at.clock.skip(3000);
    await at.sees(/no new reading for (?:8|9|10)s/, 8000);
  });

  it('tells in whole why a machine does not answer, and what to do', async () => {
    const there = await ollama('there:1b');
    const at = await startDashboard({
      settings: { backends: [{ url: there, machine: 'http://localhost:1/metrics' }] },
    });
    await at.sees('Machine · localhost');
    await at.sees('no reading yet');
    // In a pane of 36 columns it takes several rows.
    await at.sees(() => /is an exporter running at localhost:1\?/.test(paneText(at.screen())), 8000);
  });
});

/** The text of the left column, its rows joined. */
function paneText(screen: string): string {
  return screen
    .split('\n')
    .map((line) => line.slice(1, 37).trim())
    .join(' ');
}
