import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { REPOSITORY_DIR } from "../harness/corpus-bench.ts";
import { countCtest, countPlaywright, countVitest, runSuite, vitestReporters } from "../harness/suite-reports.ts";

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), "preflexor-suites-"))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The real vitest on test files of its own, as `npm test` calls it. */
function runVitest(files: Record<string, string>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const report = join(dir, "report.json");
  const vitest = join(REPOSITORY_DIR, "node_modules/vitest/vitest.mjs");
  const { status } = spawnSync(
    process.execPath,
    [vitest, "run", "--root", dir, "--globals", ...vitestReporters(report)],
    { cwd: dir, env: { ...process.env, VITEST: "", NODE_OPTIONS: "" }, stdio: "ignore" },
  );
  return countVitest(report, status ?? 1);
}

const good = `test("holds", () => expect(1).toBe(1));`;

describe("vitest's report", () => {
  test("counts a file that cannot be loaded and one whose hook fails, beside failed tests", () => {
    const { passed, failed, failures } = runVitest({
      "good.test.js": good,
      "import.test.js": `import "./nothing-there.js";\n${good}`,
      "hook.test.js": `beforeAll(() => { throw new Error("no ground"); });\n${good}\ntest("neither", () => {});`,
      "fails.test.js": `test("one", () => expect(1).toBe(2));\ntest("two", () => expect(1).toBe(3));`,
    });
    expect({ passed, failed }).toEqual({ passed: 1, failed: 4 });
    expect(failures!.join("\n")).toMatch(/import\.test\.js.*nothing-there/s);
    expect(failures!.join("\n")).toMatch(/hook\.test\.js.*no ground/s);
  });

  test("has no failure where all is well, and one where nothing was found to run", () => {
    expect(runVitest({ "good.test.js": good })).toEqual({ passed: 1, failed: 0, failures: [], skipped: [] });
    rmSync(join(dir, "good.test.js"));
    rmSync(join(dir, "report.json"));
    expect(runVitest({})).toMatchObject({ passed: 0, failed: 1 });
  });

  test("names what was skipped, with the reason where one was given", () => {
    const skipping = `
      test("a full disk", ({ skip }) => skip("mounting is not allowed here"));
      test("in a hurry", ({ skip }) => { skip(false, "no"); expect(1).toBe(1); });
      test.skip("not on this system", () => {});`;
    expect(runVitest({ "good.test.js": good, "skips.test.js": skipping })).toEqual({
      passed: 2,
      failed: 0,
      failures: [],
      skipped: ["a full disk: mounting is not allowed here", "not on this system"],
    });
  });
});

test("a suite that throws or leaves no report is one failure with its reason", async () => {
  const suite = { name: "native", run: () => Promise.reject(new Error("cmake is not there")) };
  expect(await runSuite(suite)).toEqual({
    passed: 0,
    failed: 1,
    failures: [expect.stringMatching(/native could not start: .*cmake is not there/)],
  });
  for (const count of [countVitest, countPlaywright, countCtest])
    expect(count(join(dir, "none"), 1)).toMatchObject({ passed: 0, failed: 1, failures: [expect.any(String)] });
});

test("what ctest leaves out is named with the reason that it prints, in its first line or a later one", () => {
  const report = join(dir, "ctest.xml");
  const testcase = (name: string, output: string) => `
  <testcase name="${name}" classname="${name}" time="0.01" status="notrun">
    <skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/>
    <system-out>${output}
</system-out>
  </testcase>`;
  const cases = [
    testcase("vulkan", "skipped: there is no package of vulkan"),
    testcase("silent", "nothing"),
    testcase("golden-values-cuda", "devices: cpu\nskipped: there is no device cuda0"),
  ];
  writeFileSync(report, `<testsuite tests="4" failures="0" disabled="0" skipped="3">${cases.join("")}\n</testsuite>`);
  expect(countCtest(report, 0)).toMatchObject({
    passed: 1,
    failed: 0,
    skipped: [
      "vulkan: there is no package of vulkan",
      "silent: no reason given",
      "golden-values-cuda: there is no device cuda0",
    ],
  });
});

test("Playwright's errors outside any test count", () => {
  const report = join(dir, "playwright.json");
  const stats = { expected: 3, unexpected: 1, flaky: 1 };
  writeFileSync(report, JSON.stringify({ stats, suites: [], errors: [{ message: "a.spec.ts: SyntaxError" }] }));
  expect(countPlaywright(report, 1)).toEqual({
    passed: 3,
    failed: 3,
    failures: ["e2e: a.spec.ts: SyntaxError"],
    skipped: [],
  });
});
