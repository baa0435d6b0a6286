import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What a suite reports: a failure is a failed test, or a test file or a suite that never came to its tests. Skipped tests
 * are named with the reason, for a suite that leaves some out must not look whole.
 */
export type Counts = { passed: number; failed: number; failures?: string[]; skipped?: string[] };

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
  assertionResults: {
    status: string;
    fullName: string;
    failureMessages: string[];
    /** What skip-reasons.ts adds. */
    meta: { skipReason?: string };
  }[];
};

/** How vitest writes the report that countVitest reads. */
export function vitestReporters(reportPath: string): string[] {
  return [
    `--reporter=${join(import.meta.dirname, "skip-reasons.ts")}`,
    "--reporter=json",
    `--outputFile.json=${reportPath}`,
  ];
}

/** vitest's own number of failed tests leaves out a file that failed before its first one: by an import, by a hook. */
export function countVitest(reportPath: string, status: number): Counts {
  return countsOf(reportPath, status, (json) => {
    const files = json["testResults"] as VitestFile[];
    const failures = files.flatMap(failuresOfFile);
    const passed = Number(json["numPassedTests"]);
    return { passed, failed: failures.length, failures, skipped: files.flatMap(skipsOfFile) };
  });
}

/** A file that failed before its tests is a failure already. */
function skipsOfFile(file: VitestFile): string[] {
  const { assertionResults } = file;
  if (file.status === "failed" && assertionResults.every(({ status }) => status !== "failed")) return [];
  const skipped = assertionResults.filter(({ status }) => status === "skipped");
  return skipped.map(({ fullName, meta }) => (meta.skipReason ? `${fullName}: ${meta.skipReason}` : fullName));
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
export function countPlaywright(reportPath: string, status: number): Counts {
  return countsOf(reportPath, status, (json) => {
    const stats = json["stats"] as { expected: number; unexpected: number; flaky: number };
    const errors = (json["errors"] as { message?: string }[] | undefined) ?? [];
    return {
      passed: stats.expected,
      failed: stats.unexpected + stats.flaky + errors.length,
      failures: errors.map(({ message }) => `e2e: ${message ?? "an error outside any test"}`),
      skipped: (json["suites"] as PlaywrightSuite[]).flatMap(skipsOfSuite),
    };
  });
}

function skipsOfSuite({ specs, suites = [] }: PlaywrightSuite): string[] {
  const own = specs.flatMap(({ title, tests }) =>
    tests.flatMap(({ annotations }) =>
      annotations.filter(({ type }) => type === "skip").map(({ description }) => `${title}: ${description}`),
    ),
  );
  return [...own, ...suites.flatMap(skipsOfSuite)];
}

export function countCtest(reportPath: string, status: number): Counts {
  if (!existsSync(reportPath)) return noReport(reportPath);
  const xml = readFileSync(reportPath, "utf8");
  const [, tests = "0", failures = "0"] = /tests="(\d+)"[^>]*?failures="(\d+)"/s.exec(xml) ?? [];
  const nSkipped = Number(/skipped="(\d+)"/.exec(xml)?.[1] ?? 0);
  const skips = xml.matchAll(/<testcase name="([^"]+)"[^>]*>\s*<skipped[^>]*>(.*?)<\/testcase>/gs);
  const reasonIn = (output: string) => /(?:^|<system-out>)skipped: ([^\n]*)/m.exec(output)?.[1] ?? "no reason given";
  const names = [...xml.matchAll(/<testcase name="([^"]+)"[^>]*status="fail"/g)].map(([, name]) => `ctest: ${name}`);
  return {
    passed: Number(tests) - Number(failures) - nSkipped,
    failed: Math.max(Number(failures), status === 0 ? 0 : 1),
    failures: names,
    skipped: [...skips].map(([, name, output = ""]) => `${name}: ${reasonIn(output)}`),
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
