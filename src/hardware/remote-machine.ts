import type { MachineId, SourceState } from '../domain/hardware.js';
import type { Ports } from '../ports.js';
import type { PolledProbe } from './poller.js';
import type { Probe } from './probe.js';
import { createPrometheusProbe } from './remote-prometheus.js';
import { createSshProbe } from './remote-ssh.js';

/** Where the readings of a machine elsewhere come from, as its configuration says. */
export type MachinePlace =
  | { readonly kind: 'ssh'; readonly host: string }
  | { readonly kind: 'prometheus'; readonly urls: readonly string[] }
  | { readonly kind: 'invalid'; readonly reason: string; readonly hint: string };

const EXAMPLES = 'examples: ssh:gpu-box, http://gpu-box:9100/metrics';
const MOST_ADDRESSES = 8;

/** Understands the `machine` of a server. */
export function parseMachine(id: MachineId): MachinePlace {
  const text = id.trim();
  const ssh = /^ssh:(?:\/\/)?(.*)$/is.exec(text)?.[1];
  if (ssh !== undefined) {
    const host = ssh.replace(/\/$/, '');
    return isHost(host) ? { kind: 'ssh', host } : invalid(`"${host.slice(0, 60)}" is no host for ssh`);
  }
  const urls: string[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const url = metricsUrl(part);
    if (url === null) return invalid(`"${part.slice(0, 60)}" is no address of metrics`);
    if (!urls.includes(url)) urls.push(url);
  }
  if (urls.length === 0) return invalid('it is empty');
  return { kind: 'prometheus', urls: urls.slice(0, MOST_ADDRESSES) };
}

/** The probes of a machine elsewhere; one that only says what is wrong when its address cannot be understood. */
export function remoteProbes(ports: Ports, id: MachineId): readonly PolledProbe[] {
  const place = parseMachine(id);
  switch (place.kind) {
    case 'ssh':
      return [polled(createSshProbe({ ports, host: place.host }), true)];
    case 'prometheus':
      return place.urls.map((url) => polled(createPrometheusProbe({ clock: ports.clock, url }), false));
    case 'invalid':
      return [polled(complaint({ state: 'failed', reason: place.reason, hint: place.hint }), false)];
  }
}

function polled(probe: Probe, child: boolean): PolledProbe {
  return { probe, shows: 'machine', child };
}

/**
 * A host as ssh takes it, with a user if need be. It is an argument of a program: one that begins with a dash would be an option of it,
 * and other signs have a meaning for shells in configurations of ssh.
 */
function isHost(host: string): boolean {
  return (
    host.length <= 255 && /^(?:[A-Za-z0-9_][\w.+-]*@)?(?:[A-Za-z0-9_][\w.-]*|\[?[0-9A-Fa-f:]+\]?)$/.test(host)
  );
}

function metricsUrl(text: string): string | null {
  const full = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && full !== text) return null;
  if (!URL.canParse(full)) return null;
  const url = new URL(full);
  // A password would stand on the screen and in logs.
  if (url.username !== '' || url.password !== '' || url.hostname === '') return null;
  if (url.pathname === '/' && url.search === '') url.pathname = '/metrics';
  url.hash = '';
  return url.href;
}

function invalid(what: string): MachinePlace {
  return { kind: 'invalid', reason: `machine: ${what}`, hint: EXAMPLES };
}

function complaint(state: SourceState): Probe {
  return {
    id: 'machine',
    start: (_, report) => report({ type: 'state', state }),
    stop: () => undefined,
  };
}
