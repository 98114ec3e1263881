// node scripts/count-tests.mjs PASSED FAILED [JEST_REPORT]: adds the tests of a jest report to the checks and prints the closing line
// "N passed, N failed" (", N skipped" when there are some). Exit code 0 only when nothing has failed.
import fs from 'node:fs';

let [passed, failed] = process.argv.slice(2, 4).map(Number);
let skipped = 0;
const file = process.argv[4];
if (file !== undefined) {
  try {
    const report = JSON.parse(fs.readFileSync(file, 'utf8'));
    passed += report.numPassedTests;
    // A test file that does not even load has no tests that could fail.
    failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
    skipped += report.numPendingTests + report.numTodoTests;
    if (!report.success && failed === 0) failed++;
  } catch {
    console.error('jest has left no report');
    failed++;
  }
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
