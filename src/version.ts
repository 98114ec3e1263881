declare const LMAPP_VERSION: string;

/** Put in by scripts/build.mjs from package.json; `0.0.0` when the sources run unbuilt (tests). */
export const version: string = typeof LMAPP_VERSION === 'undefined' ? '0.0.0' : LMAPP_VERSION;
