import { defineConfig } from "@playwright/test";

const report = process.env["PLAYWRIGHT_JSON_OUTPUT_NAME"];

/** The real program: in Debian's Chromium against `preflexor serve`, and in a real Electron window. */
export default defineConfig({
  testDir: "test/e2e",
  outputDir: "test-results/e2e",
  // models, PDF readers and browsers share few cores
  workers: 1,
  fullyParallel: false,
  timeout: 180_000,
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env["CI"]),
  reporter: report ? [["list"], ["json", { outputFile: report }]] : [["list"]],
  globalSetup: "./test/e2e/global-setup.ts",
});
