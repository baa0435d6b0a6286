import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { AppError } from "../../shared/errors.ts";
import { parseCount } from "../lib/arguments.ts";
import { note, print, printJson } from "../lib/output.ts";
import { isCheckout, rendererDir, rootDir } from "../lib/paths.ts";
import { type Session, withSession } from "../lib/session.ts";
import { serveWindow } from "../serve.ts";

export function addServeCommand(program: Command): void {
  program
    .command("serve")
    .description("the window in a browser of this machine, on loopback, behind a token")
    .option("--port <n>", "port (default: any free one)", parseCount, 0)
    .action((options: { port: number }, command: Command) => {
      if (isCheckout() && !existsSync(join(rendererDir, "index.html"))) buildWindow();
      return withSession(command, (session) => serve(session, options.port));
    });
}

async function serve(session: Session, port: number): Promise<void> {
  const { engine, workspaceDir, asJson } = session;
  const served = await serveWindow({ engine, workspaceDir, rendererDir, port });
  if (asJson) printJson({ url: served.url, port: served.port });
  else print(`PRefLexOR Studio is at ${served.url}\nCtrl-C ends it.`);
  try {
    await session.interrupted;
  } finally {
    await served.close();
  }
}

function buildWindow(): void {
  note("Building the window …");
  const { status } = spawnSync("npm", ["run", "-s", "build"], { cwd: rootDir, stdio: ["ignore", 2, 2] });
  if (status !== 0)
    throw new AppError("INTERNAL", "The window could not be built", { hint: "npm run build shows why." });
}
