/** @file A virtual screen for tests that open windows. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

export type Display = {
  /** The value for the environment variable DISPLAY. */
  name: string;
  close: () => Promise<void>;
};

const SCREEN = "1600x1000x24";
const START_LIMIT_MS = 20_000;

/**
 * The screen of the surrounding session where there is one, else a private Xvfb that lives until `close()` or the end of
 * this process.
 *
 * `-displayfd` lets the server choose a free number itself and report it when it takes connections. `xvfb-run -a` looks
 * for a free number first and starts the server afterwards, so two starting together can meet; it also needs xauth.
 */
export async function startDisplay(): Promise<Display> {
  if (process.platform !== "linux") return { name: "", close: async () => {} };
  const current = process.env["DISPLAY"];
  if (current) return { name: current, close: async () => {} };
  const server = spawn("Xvfb", ["-displayfd", "1", "-screen", "0", SCREEN, "-nolisten", "tcp"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const kill = () => server.kill("SIGKILL");
  process.once("exit", kill);
  const close = async () => {
    process.removeListener("exit", kill);
    if (server.exitCode === null && server.signalCode === null && server.kill()) await once(server, "exit");
  };
  try {
    return { name: `:${await displayNumber(server)}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function displayNumber(server: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let stderr = "";
    const fail = (why: string) =>
      reject(new Error(`Xvfb ${why}. Is the package xvfb installed? ${stderr.slice(-500)}`));
    const timer = setTimeout(() => fail("did not start"), START_LIMIT_MS);
    server.stderr?.on("data", (part: Buffer) => void (stderr += part));
    server.stdout?.on("data", (part: Buffer) => {
      stdout += part;
      if (!stdout.includes("\n")) return;
      clearTimeout(timer);
      resolve(Number(stdout));
    });
    server.once("error", (error) => fail(error.message));
    server.once("exit", (code) => fail(`ended with code ${code}`));
  });
}
