/**
 * `npm test`: every suite in turn, each to its end, and one closing line with the sum of their own reports.
 *
 *   node test/run-all.ts            all suites
 *   node test/run-all.ts unit e2e   only these
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildTrainerTests, ensureTrainerBuilt } from "../native-trainer/build.ts";

type Counts = { passed: number; failed: number; failures?: string[] };
type Suite = { name: string; run(): Counts | Promise<Counts> };

const root = join(import.meta.dirname, "..");
const results = join(root, "test-results");

const suites: Suite[] = [
  { name: "format", run: () => check("oxfmt", ["--check", "."]) },
  { name: "lint", run: () => check("oxlint", ["--type-aware"]) },
  { name: "types", run: () => check("npm", ["run", "-s", "types"]) },
  { name: "unit", run: () => vitest("unit") },
  { name: "native", run: ctest },
  { name: "build", run: () => check("npm", ["run", "-s", "build"]) },
  { name: "engine", run: () => vitest("engine") },
  { name: "e2e", run: playwright },
];

function command(file: string, args: string[], env: NodeJS.ProcessEnv = {}): number {
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (error) console.error(`${file}: ${error.message}`);
  return status ?? 1;
}

/** A tool that has one verdict. */
function check(file: string, args: string[]): Counts {
  const isPassed = command(file, args) === 0;
  return { passed: isPassed ? 1 : 0, failed: isPassed ? 0 : 1 };
}

function vitest(project: string): Counts {
  const report = join(results, `vitest-${project}.json`);
  const status = command("vitest", [
    "run",
    "--project",
    project,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ]);
  return countsOf(report, status, (json) => ({
    passed: Number(json["numPassedTests"]),
    failed: Number(json["numFailedTests"]),
    failures: (json["testResults"] as VitestFile[]).flatMap(failuresOfFile),
  }));
}

type VitestFile = {
  name: string;
  status: string;
  message: string;
  assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
};

function failuresOfFile({ name, status, message, assertionResults }: VitestFile): string[] {
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (failed.length === 0 && status === "failed") return [`${name}: ${message}`];
  return failed.map((test) => `${name}: ${test.fullName}\n${test.failureMessages.join("\n")}`);
}

async function ctest(): Promise<Counts> {
  await ensureTrainerBuilt({ log: console.log });
  await buildTrainerTests(console.log);
  const report = join(results, "ctest.xml");
  const status = command("ctest", [
    "--test-dir",
    "native-trainer/build",
    "--output-on-failure",
    "--output-junit",
    report,
  ]);
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const xml = readFileSync(report, "utf8");
  const [, tests = "0", failures = "0"] = /tests="(\d+)"[^>]*?failures="(\d+)"/s.exec(xml) ?? [];
  const skipped = Number(/skipped="(\d+)"/.exec(xml)?.[1] ?? 0);
  for (const [, name, reason] of xml.matchAll(
    /<testcase name="([^"]+)"[^>]*>\s*<skipped[^>]*>.*?^skipped: ([^\n]*)/gms,
  ))
    console.log(`skipped: ${name}: ${reason}`);
  const failed = Math.max(Number(failures), status === 0 ? 0 : 1);
  const names = [...xml.matchAll(/<testcase name="([^"]+)"[^>]*status="fail"/g)].map(([, name]) => `ctest: ${name}`);
  return { passed: Number(tests) - Number(failures) - skipped, failed, failures: names };
}

function playwright(): Counts {
  const report = join(results, "playwright.json");
  const status = command("playwright", ["test"], { PLAYWRIGHT_JSON_OUTPUT_NAME: report });
  return countsOf(report, status, (json) => {
    const stats = json["stats"] as { expected: number; unexpected: number; flaky: number };
    for (const line of (json["suites"] as PlaywrightSuite[]).flatMap(skipsOfSuite)) console.log(`skipped: ${line}`);
    return { passed: stats.expected, failed: stats.unexpected + stats.flaky };
  });
}

type PlaywrightSuite = {
  specs: { title: string; tests: { annotations: { type: string; description?: string }[] }[] }[];
  suites?: PlaywrightSuite[];
};

function skipsOfSuite({ specs, suites = [] }: PlaywrightSuite): string[] {
  const own = specs.flatMap(({ title, tests }) =>
    tests.flatMap(({ annotations }) =>
      annotations.filter(({ type }) => type === "skip").map(({ description }) => `${title}: ${description}`),
    ),
  );
  return [...own, ...suites.flatMap(skipsOfSuite)];
}

/** A suite that left no report, or failed without a failed test, counts as one failure. */
function countsOf(report: string, status: number, read: (json: Record<string, unknown>) => Counts): Counts {
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const counts = read(JSON.parse(readFileSync(report, "utf8")) as Record<string, unknown>);
  return { ...counts, failed: status === 0 ? counts.failed : Math.max(1, counts.failed) };
}

const wanted = process.argv.slice(2);
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const table: { suite: string; passed: number; failed: number; seconds: number }[] = [];
const failures: string[] = [];
for (const suite of suites) {
  if (wanted.length > 0 && !wanted.includes(suite.name)) continue;
  console.log(`\n▸ ${suite.name}`);
  const startedAt = performance.now();
  const counts = await suite.run();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  table.push({ suite: suite.name, passed: counts.passed, failed: counts.failed, seconds });
  failures.push(...(counts.failures ?? []));
}
for (const failure of failures) console.log(`\n✗ ${failure}`); // again, where the end of a long log shows it
console.table(table);
const passed = table.reduce((sum, row) => sum + row.passed, 0);
const failed = table.reduce((sum, row) => sum + row.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
