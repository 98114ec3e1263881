import { EXIT, LmappError } from '../errors.js';
import { allowedBy, faultsOf } from './explain.js';
import type { SettingKey, ValueSchema } from './schema.js';
import { schemaOf } from './schema.js';

/**
 * Reads a value as it is typed in a shell, by the type of its setting: `true`, `30`, `a,b` or JSON for lists, `ollama+http://h` for a
 * server. `where` begins the message of the LmappError, e.g. `LMAPP_FPS`.
 */
export function parseSetting(key: SettingKey, text: string, where: string): unknown {
  const value = valueOf(schemaOf(key), text);
  const fault = faultsOf({ [key]: value }).find((each) => !each.unknownKey || each.top === key);
  if (fault) throw invalidValue(where, text, fault.path === key ? allowedBy(schemaOf(key)) : fault.message);
  return value;
}

/** The same for one member of an object, e.g. `keys.send`. */
export function parseMember(schema: ValueSchema, text: string): unknown {
  return valueOf(schema, text);
}

function invalidValue(where: string, text: string, reason: string): LmappError {
  return new LmappError('config.value', `${where} is ${JSON.stringify(text)}; ${reason}`, {
    exitCode: EXIT.usage,
  });
}

function valueOf(schema: ValueSchema, text: string): unknown {
  const trimmed = text.trim();
  if (schema.nullable && (trimmed === '' || trimmed === 'null')) return null;
  switch (schema.type) {
    case 'boolean':
      return booleanOf(trimmed) ?? text;
    case 'integer':
    case 'number':
      return trimmed !== '' && Number.isFinite(Number(trimmed)) ? Number(trimmed) : text;
    case 'array':
      return jsonOf(trimmed, '[') ?? listOf(trimmed).map((item) => itemOf(schema.items, item));
    case 'object':
      return jsonOf(trimmed, '{') ?? text;
    case 'string':
      return text;
  }
}

function booleanOf(text: string): boolean | null {
  if (/^(true|on|yes|1)$/i.test(text)) return true;
  if (/^(false|off|no|0)$/i.test(text)) return false;
  return null;
}

function jsonOf(text: string, open: string): unknown {
  if (!text.startsWith(open)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function listOf(text: string): readonly string[] {
  return text === ''
    ? []
    : text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
}

/** A server may be written as `[KIND+]URL`. */
function itemOf(schema: ValueSchema | undefined, text: string): unknown {
  if (schema?.type !== 'object') return text;
  const match = /^([a-z][a-z0-9.-]*)\+(https?:.*)$/i.exec(text);
  return match ? { kind: match[1], url: match[2] } : { url: text };
}
