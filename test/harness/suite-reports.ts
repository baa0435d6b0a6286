import { existsSync, readFileSync } from "node:fs";

/** What a suite reports: a failure is a failed test, or a test file or a suite that never came to its tests. */
export type Counts = { passed: number; failed: number; failures?: string[] };

type Json = Record<string, unknown>;

/** A suite that cannot start counts as one failure, and the others run all the same. */
export async function runSuite({ name, run }: { name: string; run(): Counts | Promise<Counts> }): Promise<Counts> {
  try {
    return await run();
  } catch (error) {
    return { passed: 0, failed: 1, failures: [`${name} could not start: ${String(error)}`] };
  }
}

type VitestFile = {
  name: string;
  status: string;
  message: string;
  assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
};

/** vitest's own number of failed tests leaves out a file that failed before its first one: by an import, by a hook. */
export function countVitest(reportPath: string, status: number): Counts {
  return countsOf(reportPath, status, (json) => {
    const files = (json["testResults"] as VitestFile[]).map(failuresOfFile);
    return { passed: Number(json["numPassedTests"]), failed: files.flat().length, failures: files.flat() };
  });
}

function failuresOfFile({ name, status, message, assertionResults }: VitestFile): string[] {
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (failed.length === 0 && status === "failed") return [`${name}: ${message}`];
  return failed.map((test) => `${name}: ${test.fullName}\n${test.failureMessages.join("\n")}`);
}

type PlaywrightSuite = {
  specs: { title: string; tests: { annotations: { type: string; description?: string }[] }[] }[];
  suites?: PlaywrightSuite[];
};

/** Playwright's errors are those outside any test: a spec that cannot be loaded, a global hook. */
export function countPlaywright(reportPath: string, status: number): Counts & { skipped: string[] } {
  let skipped: string[] = [];
  const counts = countsOf(reportPath, status, (json) => {
    const stats = json["stats"] as { expected: number; unexpected: number; flaky: number };
    const errors = (json["errors"] as { message?: string }[] | undefined) ?? [];
    skipped = (json["suites"] as PlaywrightSuite[]).flatMap(skipsOfSuite);
    return {
      passed: stats.expected,
      failed: stats.unexpected + stats.flaky + errors.length,
      failures: errors.map(({ message }) => `e2e: ${message ?? "an error outside any test"}`),
    };
  });
  return { ...counts, skipped };
}

function skipsOfSuite({ specs, suites = [] }: PlaywrightSuite): string[] {
  const own = specs.flatMap(({ title, tests }) =>
    tests.flatMap(({ annotations }) =>
      annotations.filter(({ type }) => type === "skip").map(({ description }) => `${title}: ${description}`),
    ),
  );
  return [...own, ...suites.flatMap(skipsOfSuite)];
}

export function countCtest(reportPath: string, status: number): Counts & { skipped: string[] } {
  if (!existsSync(reportPath)) return { ...noReport(reportPath), skipped: [] };
  const xml = readFileSync(reportPath, "utf8");
  const [, tests = "0", failures = "0"] = /tests="(\d+)"[^>]*?failures="(\d+)"/s.exec(xml) ?? [];
  const nSkipped = Number(/skipped="(\d+)"/.exec(xml)?.[1] ?? 0);
  const reasons = xml.matchAll(/<testcase name="([^"]+)"[^>]*>\s*<skipped[^>]*>.*?^skipped: ([^\n]*)/gms);
  const names = [...xml.matchAll(/<testcase name="([^"]+)"[^>]*status="fail"/g)].map(([, name]) => `ctest: ${name}`);
  return {
    passed: Number(tests) - Number(failures) - nSkipped,
    failed: Math.max(Number(failures), status === 0 ? 0 : 1),
    failures: names,
    skipped: [...reasons].map(([, name, reason]) => `${name}: ${reason}`),
  };
}

/** A suite that left no report, or failed without a failed test, counts as one failure. */
function countsOf(reportPath: string, status: number, read: (json: Json) => Counts): Counts {
  if (!existsSync(reportPath)) return noReport(reportPath);
  const counts = read(JSON.parse(readFileSync(reportPath, "utf8")) as Json);
  return { ...counts, failed: status === 0 ? counts.failed : Math.max(1, counts.failed) };
}

function noReport(reportPath: string): Counts {
  return { passed: 0, failed: 1, failures: [`no report at ${reportPath}: the suite ended before it could write one`] };
}
