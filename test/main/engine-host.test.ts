import type { MessagePortMain } from "electron";
import pino from "pino";
import { beforeEach, describe, expect, test } from "vitest";
import { EngineHost, type EngineState } from "../../main/app/engine-host.ts";
import type { EngineProcess, ProcessExit } from "../../main/app/engine-process.ts";
import type { EngineFrame, EngineInit, ShellFrame } from "../../main/shared/engine-frames.ts";

const INIT: EngineInit = {
  workspaceDir: "/w",
  resourcesDir: "/r",
  logDir: "/l",
  trainerPath: "/t",
  packagesDir: "/g",
  modelHostPath: "/m",
  pdfWorkerPath: "/p",
  version: "0",
};

/** A process in memory: the test decides what it says and when it dies. */
class FakeProcess implements EngineProcess {
  pid = 1;
  posted: ShellFrame[] = [];
  ports: MessagePortMain[] = [];
  wasKilled = false;
  exited: Promise<ProcessExit>;
  die: (exit?: Partial<ProcessExit>) => void = () => {};
  #listener: (frame: EngineFrame) => void = () => {};

  constructor() {
    this.exited = new Promise((resolve) => (this.die = (exit) => resolve({ code: null, signal: null, ...exit })));
  }
  post(frame: ShellFrame): void {
    this.posted.push(frame);
  }
  onFrame(listener: (frame: EngineFrame) => void): void {
    this.#listener = listener;
  }
  say(frame: EngineFrame): void {
    this.#listener(frame);
  }
  openPort(port: MessagePortMain): void {
    this.ports.push(port);
  }
  kill(): void {
    this.wasKilled = true;
    this.die({ signal: "SIGKILL" });
  }
}

let now = 0;
let started: FakeProcess[] = [];
let states: EngineState[] = [];
let host: EngineHost;

beforeEach(() => {
  now = 0;
  started = [];
  states = [];
  host = new EngineHost({
    startEngine: () => {
      const process = new FakeProcess();
      started.push(process);
      return process;
    },
    log: pino({ level: "silent" }),
    onState: (state) => states.push(state),
    onActivity: () => {},
    clock: () => now,
    quitBudgetMs: 20,
  });
});

async function startRunning(): Promise<FakeProcess> {
  const starting = host.start(INIT);
  const process = started.at(-1)!;
  process.say({ t: "ready" });
  await starting;
  return process;
}

async function crash(process: FakeProcess, afterMs: number): Promise<void> {
  now += afterMs;
  process.die({ code: 134 });
  await process.exited;
  await Promise.resolve();
}

describe("EngineHost", () => {
  test("a crash is named, starts nothing by itself and refuses ports", async () => {
    const process = await startRunning();
    await crash(process, 60_000);
    expect(host.state).toMatchObject({ status: "stopped", generation: 1, error: { code: "ENGINE_GONE" } });
    expect(started).toHaveLength(1);
    expect(host.connect({} as MessagePortMain)).toBe(false);
  });

  test("a port given while the engine starts goes to that engine", async () => {
    const starting = host.start(INIT);
    const port = {} as MessagePortMain;
    expect(host.connect(port)).toBe(true);
    expect(started[0]!.ports).toEqual([port]);
    started[0]!.say({ t: "ready" });
    await starting;
  });

  test("restart waits for the exit of the one before: two would fight for the workspace's lock", async () => {
    const first = await startRunning();
    const restarting = host.restart(INIT);
    await Promise.resolve();
    expect(first.posted.at(-1)).toEqual({ t: "shutdown" });
    expect(started).toHaveLength(1);
    first.die({ code: 0 });
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(started).toHaveLength(2);
    started[1]!.say({ t: "ready" });
    await restarting;
    expect(host.state).toEqual({ status: "running", generation: 2 });
  });

  test("frames of a generation that is gone change nothing", async () => {
    const first = await startRunning();
    await crash(first, 60_000);
    const second = await startRunning();
    first.say({ t: "activity", activity: { runningJobs: [], isTraining: true } });
    expect(host.activity.isTraining).toBe(false);
    second.say({ t: "activity", activity: { runningJobs: [{ type: "training.run", title: "t" }], isTraining: true } });
    expect(host.activity.isTraining).toBe(true);
    await crash(second, 60_000);
    expect(host.activity.isTraining).toBe(false);
  });

  test("three deaths right after the start open the breaker; a new workspace closes it", async () => {
    for (let i = 0; i < 3; i++) await crash(await startRunning(), 500);
    await expect(host.restart(INIT)).rejects.toMatchObject({ code: "ENGINE_GONE" });
    expect(started).toHaveLength(3);
    host.resetBreaker();
    await startRunning();
    expect(host.state.status).toBe("running");
  });

  test("deaths after long lives never open the breaker", async () => {
    for (let i = 0; i < 5; i++) await crash(await startRunning(), 60_000);
    await startRunning();
    expect(host.state.status).toBe("running");
  });

  test("a start that fails with a reason rejects with it, and is no crash", async () => {
    for (let i = 0; i < 4; i++) {
      const starting = host.start(INIT);
      started.at(-1)!.say({ t: "failed", error: { code: "WORKSPACE_LOCKED", message: "in use", hint: "close it" } });
      started.at(-1)!.die({ code: 1 });
      await expect(starting).rejects.toMatchObject({ code: "WORKSPACE_LOCKED", hint: "close it" });
    }
  });

  test("an engine that ignores the shutdown frame is killed when the budget is spent", async () => {
    const process = await startRunning();
    await host.stop();
    expect(process.wasKilled).toBe(true);
    expect(host.state).toMatchObject({ status: "stopped", error: null });
  });
});
