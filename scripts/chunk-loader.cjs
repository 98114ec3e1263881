// The head of dist/main.js (scripts/pack-chunks.mjs): chunks that are packed into one file are put where require() finds them, so that those
// which are loaded later, from files of their own, get the very same modules.
const __require = require;
const __chunks = require('node:path').normalize(`${__dirname}/chunks/`);

/** What `name` exports: a chunk by any relative name, or anything else that require() knows. */
function __requireChunk(name) {
  return __require(name[0] === '.' ? __chunks + name.slice(name.lastIndexOf('/') + 1) : name);
}

/** Makes a packed chunk one that has been loaded. */
function __putChunk(name, exports) {
  const file = __chunks + name;
  const loaded = new module.constructor(file);
  loaded.filename = file;
  loaded.loaded = true;
  loaded.exports = exports;
  __require.cache[file] = loaded;
}
