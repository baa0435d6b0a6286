/**
 * @file Entry of the engine process. Its shell is Electron's main process; see [Note: engine process].
 */

import { join } from "node:path";
import type { EngineInit } from "../shared/engine-frames.ts";
import { serializeError } from "../shared/errors.ts";
import { createEngine, type Engine } from "./engine.ts";
import { startNodeHost } from "./inference/index.ts";
import { createFileLogger } from "./lib/logger.ts";
import { connectShell, reportActivity, type ShellLink, startHostThroughShell } from "./process/index.ts";

const shell = connectShell();
if (shell) runEngine(shell);
else {
  process.stderr.write("This is the engine of PRefLexOR Studio; the window or the command line starts it.\n");
  process.exitCode = 2;
}

function runEngine(shell: ShellLink): void {
  let engine: Promise<Engine> | undefined;
  const end = () => void closeAndExit(engine);
  shell.onFrame((frame) => {
    if (frame.t === "shutdown") end();
    if (frame.t !== "init" || engine) return;
    engine = start(shell, frame.init);
    engine.catch(() => {}); // start has told the shell, and ends the process
  });
  // windows may knock while the database is still being opened
  shell.onPort((port) => void engine?.then((opened) => opened.serve(port)).catch(() => port.close()));
  shell.onGone(end);
}

async function start(shell: ShellLink, init: EngineInit): Promise<Engine> {
  try {
    const engine = await createEngine({
      workspaceDir: init.workspaceDir,
      resourcesDir: init.resourcesDir,
      pdfWorkerPath: init.pdfWorkerPath,
      compute: {
        trainerPath: init.trainerPath,
        packagesDir: init.packagesDir,
        device: process.env["PREFLEXOR_DEVICE"],
      },
      startHost: startHostThroughShell(shell) ?? startNodeHost(init.modelHostPath),
      log: createFileLogger(join(init.logDir, "engine.log")),
      version: init.version,
    });
    shell.post({ t: "ready" });
    reportActivity(
      (port) => engine.serve(port),
      (activity) => shell.post({ t: "activity", activity }),
    );
    return engine;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    shell.post({ t: "failed", error: serializeError(error) });
    setTimeout(() => process.exit(1), FAREWELL_MS);
    throw error;
  }
}

/** Enough for the last frame to leave the process. */
const FAREWELL_MS = 200;

async function closeAndExit(engine: Promise<Engine> | undefined): Promise<never> {
  try {
    await (await engine)?.close();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  }
}
