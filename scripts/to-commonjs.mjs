// esbuild splits only ES modules, but Node loads CommonJS some 5 ms sooner, and a dashboard that is to be on the screen in 50 ms has none to
// spare: each chunk of the split bundle is written as CommonJS.
import { transformSync } from 'esbuild';

export function toCommonJs(text) {
  // A default import would be an object with a copy of all that the module of Node exports, made anew in each chunk.
  const direct = text.replace(/\bimport ([\w$]+) from"(node:[\w/]+)";/g, 'const $1=require("$2");');
  const { code } = transformSync(direct, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // import() becomes require() then, within a promise.
    supported: { 'dynamic-import': false },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
  });
  if (!/\b__fileUrl\b/.test(code)) return code;
  const [, hashBang = '', body] = /^(#!.*\n)?([^]*)$/.exec(code);
  return `${hashBang}const __fileUrl=require("node:url").pathToFileURL(__filename).href;${body}`;
}
