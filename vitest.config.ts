import { defineConfig } from "vitest/config";

/** Fast tests of plain code; `check` runs them before every commit. */
const unit = {
  name: "unit",
  include: ["test/{shared,engine,cli,renderer}/**/*.test.{ts,tsx}", "test/main/{import-table,architecture}.test.ts"],
  exclude: ["**/*.real.test.ts"],
  setupFiles: ["test/harness/property-seed.ts"],
  testTimeout: 30_000,
};

/** Tests with real models, the real trainer, real processes. They load gigabytes: one file at a time. */
const engine = {
  name: "engine",
  include: ["test/{shared,engine,cli,main}/**/*.real.test.ts", "test/main/**/*.test.ts"],
  exclude: ["test/main/{import-table,architecture}.test.ts"],
  testTimeout: 180_000,
  hookTimeout: 300_000,
  fileParallelism: false,
};

export default defineConfig({ test: { projects: [{ test: unit }, { test: engine }], maxWorkers: 2 } });
