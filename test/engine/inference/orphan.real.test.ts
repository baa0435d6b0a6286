import { fork } from "node:child_process";
import { writeFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";

const rootDir = resolve(import.meta.dirname, "../../..");

/** An engine that starts the model host, tells its process id, and is then busy for ever. */
const PARENT = `
  import { startTestHost } from ${JSON.stringify(join(rootDir, "test/harness/model-host.ts"))};
  const { host } = startTestHost();
  const { pid } = await host.call("telling its process id", (client) => client.host.facts({}));
  process.send(pid);
  setInterval(() => {}, 1000);
`;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

it("the model host ends when its engine is killed", async () => {
  const dir = await mkdtemp(join(tmpdir(), "preflexor-orphan-"));
  try {
    const path = join(dir, "parent.ts");
    await writeFile(path, PARENT);
    const parent = fork(path, { stdio: "inherit" });
    const pid = await new Promise<number>((told) => parent.once("message", (message) => told(Number(message))));
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    for (let i = 0; i < 100 && isAlive(pid); i++) await sleep(100);
    expect(isAlive(pid)).toBe(false);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
