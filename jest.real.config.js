import base from './jest.config.js';

/** The tests against a real server: slow, and only where python3 is; started by scripts/real-server-tests. */
export default {
  ...base,
  testMatch: ['<rootDir>/test/real/**/*.test.ts'],
  testPathIgnorePatterns: [],
  // One after the other: the model takes all cores.
  maxWorkers: 1,
  testTimeout: 300_000,
};
