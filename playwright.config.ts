import { defineConfig } from "@playwright/test";

const report = process.env["PLAYWRIGHT_JSON_OUTPUT_NAME"];
const isRoot = process.getuid?.() === 0;

/** The real program: in Debian's Chromium against `preflexor serve`, and in a real Electron window. */
export default defineConfig({
  testDir: "test/e2e",
  outputDir: "test-results/e2e",
  globalSetup: "./test/e2e/support/global-setup.ts",
  // models, PDF readers and browsers share few cores
  workers: 1,
  fullyParallel: false,
  timeout: 240_000,
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env["CI"]),
  reporter: report ? [["list"], ["json", { outputFile: report }]] : [["list"]],
  use: {
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      // a machine without a graphics card still has to draw the graph
      args: ["--enable-unsafe-swiftshader", ...(isRoot ? ["--no-sandbox"] : [])],
    },
  },
});
