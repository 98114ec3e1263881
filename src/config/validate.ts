import { Ajv } from 'ajv';
import type { ErrorObject } from 'ajv';
import { SETTINGS_SCHEMA } from './schema.js';

// scripts/build.mjs replaces this whole file by the function that ajv generates from the same schema, so that the program does not
// load and run a compiler of schemas at every start (docs/decisions/0003-validator-at-build-time.md). Tests run this one.

const check = new Ajv({ allErrors: true, verbose: true }).compile(SETTINGS_SCHEMA);

/** All faults of a configuration, in ajv's form; empty when it is valid. */
export function validate(value: unknown): readonly ErrorObject[] {
  return check(value) ? [] : (check.errors ?? []);
}
