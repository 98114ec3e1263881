/** Jest runs the TypeScript sources as ES modules: swc strips the types, Node's own module system does the rest. */
// Times on the screen are those of the place; tests compare whole screens.
process.env.TZ = 'UTC';

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // These need a real server and have a configuration of their own.
  testPathIgnorePatterns: ['<rootDir>/test/real/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' } },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist'],
  testTimeout: 30000,
};
