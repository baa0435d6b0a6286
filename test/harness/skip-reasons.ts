import type { Reporter, TestCase } from "vitest/node";

/** Keeps the reason of `skip(reason)` beside the test, since vitest's JSON report leaves it out. */
export default class SkipReasons implements Reporter {
  onTestCaseResult(test: TestCase): void {
    const result = test.result();
    if (result.state === "skipped" && result.note !== undefined)
      Object.assign(test.meta(), { skipReason: result.note });
  }
}
