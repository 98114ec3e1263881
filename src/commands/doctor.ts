import { EXIT } from '../errors.js';
import type { Command } from './command.js';
import { DEBUG_OPTION, isOn, JSON_OPTION, LOOKING_OPTIONS } from './options.js';

export const doctor: Command = {
  name: 'doctor',
  does: 'Checks everything that lmapp needs, and says what to do; exit code 1 when something is bad.',
  options: [...LOOKING_OPTIONS, JSON_OPTION, DEBUG_OPTION],
  examples: [['lmapp doctor', 'program, terminal, configuration, folders, servers, GPU tools, clock']],
  async run(context, args) {
    const [{ DOCTOR_CHECKS }, { settingsFor }] = await Promise.all([
      import('./doctor-checks.js'),
      import('./settings.js'),
    ]);
    const loaded = settingsFor(context, args);
    const found = await Promise.all(
      DOCTOR_CHECKS.map(async ({ name, run }) =>
        (await run({ context, args, loaded })).map((finding) => ({ check: name, ...finding })),
      ),
    );
    const findings = found.flat();
    const bad = findings.filter(({ state }) => state === 'bad').length;
    const warnings = findings.filter(({ state }) => state === 'warn').length;
    if (isOn(args, 'json')) context.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
    else {
      const lines = findings.flatMap(({ check, state, text, nextStep }) => [
        `${state.padEnd(4)}  ${check.padEnd(13)}  ${text}\n`,
        ...(nextStep === null ? [] : [`${' '.repeat(21)}${nextStep}\n`]),
      ]);
      const sum = bad + warnings === 0 ? 'All is well.' : `${bad} bad, ${warnings} to look at.`;
      context.stdout.write(`${lines.join('')}\n${sum}\n`);
    }
    return bad > 0 ? EXIT.failure : EXIT.ok;
  },
};
