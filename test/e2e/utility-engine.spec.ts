import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "@playwright/test";
import { build } from "vite";
import { launchApp, type LaunchedApp } from "../harness/launch-app.ts";
import { attachedProgram } from "./support/attached-program.ts";

/**
 * The tests' Electron cannot load the database (see ENVIRONMENT's counterpart in docs), so the product's window runs
 * there with the other transport. This is the product's own transport with everything but the database: handed-over
 * ports, the real model host, deaths.
 */
const root = resolve(import.meta.dirname, "../..");
const fixture = join(root, "test/e2e/fixtures/utility-app");

let appDir: string;
let launched: LaunchedApp;

type Harness = {
  start(): Promise<void>;
  call(method: string, input: unknown): Promise<{ t: string; output?: unknown; error?: unknown }>;
  killEngine(): Promise<unknown>;
  nRelayed: number;
};

test.beforeAll(async () => {
  appDir = mkdtempSync(join(tmpdir(), "utility-app-"));
  cpSync(join(fixture, "package.json"), join(appDir, "package.json"));
  symlinkSync(join(root, "node_modules"), join(appDir, "node_modules"));
  await build({
    configFile: false,
    logLevel: "error",
    build: {
      ssr: true,
      target: "node20.18",
      outDir: appDir,
      rollupOptions: {
        input: {
          app: join(fixture, "app.ts"),
          engine: join(fixture, "engine.ts"),
          "model-host": join(root, "main/engine/inference/host/main.ts"),
        },
        external: ["electron"],
        output: { format: "es", entryFileNames: "[name].js" },
      },
    },
  });
  launched = await launchApp({ appDir: attachedProgram(appDir) });
});
test.afterAll(async () => {
  await launched?.close();
  rmSync(appDir, { recursive: true, force: true });
});

function call(method: string, input: unknown = {}) {
  return launched.app.evaluate(
    (_electron, [name, value]) => (globalThis as unknown as { harness: Harness }).harness.call(name, value),
    [method, input] as const,
  );
}

test("a utility process serves a window's channel and a model host, outlives its host and ends with its hosts", async () => {
  await launched.app.evaluate(() => (globalThis as unknown as { harness: Harness }).harness.start());

  const echoed = await launched.app.evaluate(async () => {
    const bytes = new Uint8Array(4 * 1024 * 1024).fill(7);
    const answer = await (globalThis as unknown as { harness: Harness }).harness.call("test.echo", bytes);
    const output = answer.output as Uint8Array;
    return { t: answer.t, isBytes: output instanceof Uint8Array, length: output.length, last: output.at(-1) };
  });
  expect(echoed).toEqual({ t: "ok", isBytes: true, length: 4 * 1024 * 1024, last: 7 });

  const first = await call("test.hostFacts");
  expect(first).toMatchObject({ t: "ok" });
  expect(await call("test.killHost")).toMatchObject({ t: "ok" });
  const second = await call("test.hostFacts");
  expect(second).toMatchObject({ t: "ok" });
  const [firstPid, secondPid] = [first, second].map((answer) => (answer.output as { pid: number }).pid);
  expect(secondPid).not.toBe(firstPid);

  const death = await launched.app.evaluate(() => (globalThis as unknown as { harness: Harness }).harness.killEngine());
  expect(death).toMatchObject({ port: "closed" });
  await expect.poll(() => isAlive(secondPid!)).toBe(false);
  const nRelayed = await launched.app.evaluate(() => (globalThis as unknown as { harness: Harness }).harness.nRelayed);
  expect(nRelayed, "no message of a channel goes through the main process").toBe(0);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
