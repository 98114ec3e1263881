// The head of dist/main.js (scripts/pack-chunks.mjs): chunks that are packed into one file are put where require() finds them, so that those
// which are loaded later, from files of their own, get the very same modules.
const __require = require;
const __chunks = `${__dirname}/chunks/`;
const __unloaded = new Map();

/** What `name` exports: a chunk by any relative name, or anything else that require() knows. */
function __requireChunk(name) {
  if (name[0] !== '.') return __require(name);
  const file = require('node:path').normalize(__chunks + name.slice(name.lastIndexOf('/') + 1));
  const known = __require.cache[file];
  if (known) return known.exports;
  const code = __unloaded.get(file);
  if (!code) return __require(file);
  const loaded = new module.constructor(file);
  loaded.filename = file;
  loaded.loaded = true;
  __require.cache[file] = loaded;
  code(loaded.exports, __requireChunk, loaded);
  return loaded.exports;
}

/** Loads packed chunks: `{ 'name.js': function (exports, require, module) {…} }`. */
function __loadChunks(codes) {
  for (const name of Object.keys(codes))
    __unloaded.set(require('node:path').normalize(__chunks + name), codes[name]);
  for (const name of Object.keys(codes)) __requireChunk(`./${name}`);
}
