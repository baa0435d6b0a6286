/**
 * `npm test`: every suite in turn, each to its end, and one closing line with the sum of their own reports.
 *
 *   node test/run-all.ts            all suites
 *   node test/run-all.ts unit e2e   only these
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mesaVersion } from "./harness/mesa.ts";
import { buildTrainerTests, ensureTrainerBuilt } from "../native-trainer/build.ts";
import {
  type Counts,
  countCtest,
  countPlaywright,
  countVitest,
  runSuite,
  vitestReporters,
} from "./harness/suite-reports.ts";

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
  const args = ["run", "--project", project, "--reporter=default", ...vitestReporters(report)];
  return countVitest(report, command("vitest", args));
}

async function ctest(): Promise<Counts> {
  await ensureTrainerBuilt({ log: console.log });
  await buildTrainerTests(console.log);
  const report = join(results, "ctest.xml");
  const args = ["--test-dir", "native-trainer/build", "--output-on-failure", "--output-junit", report];
  return countCtest(report, command("ctest", args, vulkanLimits()));
}

/** Mesa's software Vulkan device before version 25 damages its memory in some architectures: there llama has to do. */
function vulkanLimits(): NodeJS.ProcessEnv {
  const version = mesaVersion();
  if (version === null || version >= 25) return {};
  console.log(`Vulkan's golden numbers are computed for llama only: Mesa ${version} is older than 25`);
  return { PREFLEXOR_TEST_VULKAN_SETS: "1" };
}

function playwright(): Counts {
  const report = join(results, "playwright.json");
  const status = command("playwright", ["test"], { PLAYWRIGHT_JSON_OUTPUT_NAME: report });
  return countPlaywright(report, status);
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !suites.some((suite) => suite.name === name));
if (unknown.length > 0)
  throw new Error(`no suite is called ${unknown.join(", ")}; there are ${suites.map(({ name }) => name).join(", ")}`);
rmSync(results, { recursive: true, force: true });
mkdirSync(results, { recursive: true });
const table: { suite: string; passed: number; failed: number; seconds: number }[] = [];
const failures: string[] = [];
const skipped: string[] = [];
for (const suite of suites) {
  if (wanted.length > 0 && !wanted.includes(suite.name)) continue;
  console.log(`\n▸ ${suite.name}`);
  const startedAt = performance.now();
  const counts = await runSuite(suite);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  table.push({ suite: suite.name, passed: counts.passed, failed: counts.failed, seconds });
  failures.push(...(counts.failures ?? []));
  for (const line of counts.skipped ?? []) console.log(`skipped: ${line}`);
  skipped.push(...(counts.skipped ?? []));
}
// again, where the end of a long log shows it
for (const line of skipped) console.log(`skipped: ${line}`);
for (const failure of failures) console.log(`\n✗ ${failure}`);
console.table(table);
const passed = table.reduce((sum, row) => sum + row.passed, 0);
const failed = table.reduce((sum, row) => sum + row.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
