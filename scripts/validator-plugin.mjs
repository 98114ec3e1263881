// Replaces src/config/validate.ts, which runs ajv, by the function that ajv generates from the schema: the program then checks its
// configuration without loading a compiler of schemas (docs/decisions/0003-validator-at-build-time.md).
import { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { transformSync } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';

/** Imports src/config/schema.ts, whose only imports are types. */
export async function importSchema(root) {
  const source = fs.readFileSync(path.join(root, 'src/config/schema.ts'), 'utf8');
  const { code } = transformSync(source, { loader: 'ts', format: 'esm' });
  return import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);
}

export function validatorAtBuildTime(root) {
  return {
    name: 'validator-at-build-time',
    setup(build) {
      build.onLoad({ filter: /src[\\/]config[\\/]validate\.ts$/ }, async ({ path: file }) => {
        const { SETTINGS_SCHEMA } = await importSchema(root);
        const ajv = new Ajv({ allErrors: true, verbose: true, code: { source: true, esm: true } });
        const generated = standaloneCode.default(ajv, ajv.compile(SETTINGS_SCHEMA));
        const exports = /export const validate = (\w+);export default \1;/;
        if (!exports.test(generated))
          throw new Error('ajv generates another form of module; adapt this plugin');
        return {
          // The same function as in the file that this replaces.
          contents: generated.replace(
            exports,
            'export function validate(value) { return $1(value) ? [] : ($1.errors ?? []); }',
          ),
          loader: 'js',
          resolveDir: path.dirname(file),
          watchFiles: [path.join(root, 'src/config/schema.ts')],
        };
      });
    },
  };
}
