import { findModel } from '../domain/find-model.js';
import { isLoopback } from '../domain/fit.js';
import { nearestNames } from '../domain/names.js';
import { LmappError } from '../errors.js';
import { bad, type DoctorContext, type Finding, ok, warn } from './finding.js';
import { lookAtAll, placesOf, sentenceOf, type ServerLine } from './list-servers.js';

/** Every server: is it there, who is it, does its key fit, has it the models that are wished for. Nothing is sent to a model. */
export async function checkServersOf({ context, args, loaded }: DoctorContext): Promise<readonly Finding[]> {
  const { settings } = loaded;
  const found: Finding[] = [];
  let lines: readonly ServerLine[] = [];
  try {
    const places = placesOf(context, args, settings);
    for (const { address } of places)
      if (address.key !== null && address.url.startsWith('http://') && !isLoopback(address.url))
        found.push(
          warn(`the key of ${address.url} travels in the clear`, 'Use https:// or a tunnel: ssh -L'),
        );
    lines = await lookAtAll(context, args, settings, places);
  } catch (error) {
    if (!(error instanceof LmappError)) throw error;
    found.push(bad(error.message, error.hint ?? 'Correct it in the configuration.'));
  }
  found.unshift(...lines.map(findingOf));
  if (lines.length === 0 && found.length === 0)
    found.push(
      bad(
        'no server was found',
        'Start one, for example with "ollama serve", or add one: lmapp backends add ADDRESS',
      ),
    );
  return [...found, ...wishedModels(settings.model, settings.fallback, lines)];
}

function findingOf(line: ServerLine): Finding {
  const text = sentenceOf(line);
  if (line.fault) {
    const { message, hint } = line.fault;
    const place = message.includes(line.url) ? '' : `${line.url}: `;
    return bad(`${place}${message}`, hint ?? 'Look into the log of the server.');
  }
  if (line.state === 'loading') return warn(`${text}, loading its model`, 'Wait until it is loaded.');
  if (line.state === 'busy') return warn(`${text}, at work`, 'Wait, or look into its log.');
  if (line.list.length === 0) return warn(text, 'It has no model: pull or load one there.');
  return line.list.some(({ chat }) => chat) ? ok(text) : warn(text, 'None of its models can chat.');
}

/** The models that the configuration names. */
function wishedModels(
  model: string,
  fallback: readonly string[],
  lines: readonly ServerLine[],
): readonly Finding[] {
  const all = lines.flatMap(({ list }) => list);
  // Without any list nothing can be said, and the servers have told why.
  if (all.length === 0) return [];
  const wished = [
    ...(model === '' ? [] : [{ what: 'the model to start with', name: model }]),
    ...fallback.filter((name) => name !== 'mock').map((name) => ({ what: 'a fall-back', name })),
  ];
  return wished.map(({ what, name }) => {
    const found = findModel(all, name);
    if (found?.chat === true) return ok(`${what}, ${name}, is there`);
    if (found) return bad(`${what}, ${name}, cannot chat`, 'Choose another: lmapp config --set model NAME');
    const near = nearestNames(
      name,
      all.map(({ label }) => label),
    );
    return bad(
      `no server has ${what}, ${name}`,
      near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'lmapp models lists all.',
    );
  });
}
