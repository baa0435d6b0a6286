import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { MessageChannel } from "node:worker_threads";
import { chromium, expect, test } from "@playwright/test";
import type { MessagePortMain } from "electron";
import pino from "pino";
import { startChildEngine } from "../../main/app/child-engine.ts";
import { portOfMessagePort } from "../../main/engine/rpc/index.ts";
import { engineContract, type EngineContract, type EngineEvents } from "../../main/shared/contract/index.ts";
import { createRpcClient } from "../../main/shared/rpc/client.ts";
import { ensureElectronRuntime } from "../harness/electron-runtime.ts";
import { startDisplay } from "../harness/xvfb.ts";
import { nodePath, rootDir, shortPaper } from "./support/project.ts";

/**
 * The program as it is installed, with its fuses set: `npm run test:package`. It takes a minute and a gigabyte, so it
 * stands apart from the other tests.
 */
test.skip(!process.env["PREFLEXOR_TEST_PACKAGE"], "packaging is tested by npm run test:package");
test.describe.configure({ mode: "serial" });

let scratchDir: string;
let programDir: string;

test.beforeAll(async () => {
  test.setTimeout(600_000);
  scratchDir = mkdtempSync(join(tmpdir(), "packaged-"));
  const runtime = await ensureElectronRuntime();
  const builder = join(rootDir, "node_modules", "electron-builder", "cli.js");
  const settings = {
    electronDist: dirname(runtime.executablePath),
    electronVersion: runtime.version,
    "directories.output": scratchDir,
  };
  const args = Object.entries(settings).map(([key, value]) => `-c.${key}=${value}`);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [builder, "--linux", "dir", "--publish", "never", ...args],
    { cwd: rootDir, encoding: "utf8" },
  );
  expect(status, `${stdout}${stderr}`).toBe(0);
  programDir = join(scratchDir, "linux-unpacked");
});
test.afterAll(() => rmSync(scratchDir, { recursive: true, force: true }));

test("every library that the system loads lies outside the archive, and only this system's", () => {
  const unpacked = join(programDir, "resources", "app.asar.unpacked", "node_modules");
  for (const path of [
    "better-sqlite3/prebuilds/linux-x64.node",
    "sqlite-vec-linux-x64/vec0.so",
    "@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so",
    "onnxruntime-node/bin/napi-v6/linux/x64/onnxruntime_binding.node",
  ])
    expect(existsSync(join(unpacked, path)), path).toBe(true);
  expect(existsSync(join(programDir, "resources", "bin", "native-trainer"))).toBe(true);
  for (const path of ["@node-llama-cpp/linux-arm64/bins", "onnxruntime-web", "onnxruntime-node/bin/napi-v6/win32"])
    expect(existsSync(join(unpacked, path)), path).toBe(false);
});

test("the hardened program opens its window and quits", async () => {
  const display = await startDisplay();
  const userDataDir = join(scratchDir, "user-data");
  const args = [
    "--no-sandbox",
    `--user-data-dir=${userDataDir}`,
    "--remote-debugging-port=0",
    `--workspace=${join(scratchDir, "workspace")}`,
  ];
  const child = spawn(join(programDir, "preflexor-studio"), args, {
    env: { ...process.env, DISPLAY: display.name },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    const address = await new Promise<string>((resolve) => {
      child.stderr.on("data", (part: Buffer) => {
        const found = /DevTools listening on (ws:\S+)/.exec(part.toString())?.[1];
        if (found) resolve(found);
      });
    });
    const browser = await chromium.connectOverCDP(address);
    await expect.poll(() => browser.contexts()[0]?.pages()[0]?.url()).toMatch(/^app:\/\/bundle\//);
    await expect(browser.contexts()[0]!.pages()[0]!.getByRole("navigation", { name: "Screens" })).toBeVisible();
  } finally {
    child.kill("SIGTERM");
    expect(await exited).toBe(0);
    await display.close();
  }
  expect(readFileSync(join(userDataDir, "logs", "main.log"), "utf8")).toContain('"msg":"start"');
});

test("the packed engine is complete: out of its archive it imports and finds a paper", async () => {
  const archive = join(programDir, "resources", "app.asar");
  const appDir = join(scratchDir, "app");
  const { extractAll } = createRequire(import.meta.url)("@electron/asar") as {
    extractAll(from: string, to: string): void;
  };
  extractAll(archive, appDir);
  const resourcesDir = join(programDir, "resources");
  const init = {
    workspaceDir: join(scratchDir, "engine-workspace"),
    resourcesDir,
    logDir: join(scratchDir, "logs"),
    trainerPath: join(resourcesDir, "bin", "native-trainer"),
    packagesDir: join(appDir, "node_modules/@node-llama-cpp"),
    modelHostPath: join(appDir, "out/main/model-host.js"),
    pdfWorkerPath: join(appDir, "out/main/pdf-worker.js"),
    version: "0",
  };
  const engine = startChildEngine(join(appDir, "out/main/engine.js"), nodePath, init, pino({ level: "silent" }));
  const { port1, port2 } = new MessageChannel();
  engine.openPort(asElectronPort(port1));
  const { client } = createRpcClient<EngineContract, EngineEvents>(engineContract, portOfMessagePort(port2));
  await client.corpus.importFiles({ paths: [shortPaper] });
  await expect.poll(async () => (await client.corpus.listDocuments({}))[0]?.status, { timeout: 120_000 }).toBe("ready");
  const { hits, warning } = await client.corpus.search({ query: "hyperelastic materials" });
  expect(warning).toBeNull();
  expect(hits[0]?.ranks.vector).not.toBeNull();
  engine.post({ t: "shutdown" });
  expect(await engine.exited).toEqual({ code: 0, signal: null });
  port2.close();
});

/** Node's port with the events of Electron's. */
function asElectronPort(port: MessageChannel["port1"]): MessagePortMain {
  const shim = {
    postMessage: (message: unknown) => port.postMessage(message),
    on: (name: string, listener: (event: { data: unknown }) => void) =>
      port.on(name as "message", (data: unknown) => listener({ data })),
    start: () => port.start(),
    close: () => port.close(),
  };
  return shim as unknown as MessagePortMain; // as much of it as the relay uses
}
