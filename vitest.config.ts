import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/{shared,engine,cli,main,renderer}/**/*.test.{ts,tsx}"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // two cores, and several tests load models: more workers only make each other slow
    maxWorkers: 2,
    reporters: process.env.CI ? ["default", ["json", { outputFile: "test-results/vitest.json" }]] : ["default"],
  },
});
