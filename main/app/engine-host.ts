import type { MessagePortMain } from "electron";
import type { EngineActivity, EngineFrame, EngineInit } from "../shared/engine-frames.ts";
import { AppError, serializeError, type SerializedError } from "../shared/errors.ts";
import type { EngineProcess, ProcessExit, StartEngine } from "./engine-process.ts";
import type { Log } from "./log.ts";

export type EngineState =
  | { status: "starting"; generation: number }
  | { status: "running"; generation: number }
  /** `error` is null after a stop that was asked for. */
  | { status: "stopped"; generation: number; error: SerializedError | null };

export type EngineHostDeps = {
  startEngine: StartEngine;
  log: Log;
  onState(state: EngineState): void;
  onActivity(activity: EngineActivity): void;
  clock?: () => number;
  /** From the shutdown frame to the kill. */
  quitBudgetMs?: number;
};

const QUIT_BUDGET_MS = 5_000;
/** An engine that lives shorter than this has not started properly, whatever it said before. */
const FAST_DEATH_MS = 10_000;
const MAX_FAST_DEATHS = 3;
const IDLE: EngineActivity = { runningJobs: [], isTraining: false };

type Generation = {
  number: number;
  process: EngineProcess;
  startedAt: number;
  failure: SerializedError | null;
  isStopping: boolean;
};

/**
 * Owns the engine process. At most one lives at a time: a successor is started only after the exit of its predecessor
 * was seen, because two would fight for the workspace's lock. A crash starts nothing by itself: the window says what
 * happened and the user restarts; after three deaths in a row right after the start the host refuses and says why.
 */
export class EngineHost {
  readonly #deps: EngineHostDeps;
  readonly #now: () => number;
  #generation = 0;
  #nFastDeaths = 0;
  #live: Generation | null = null;
  #state: EngineState = { status: "stopped", generation: 0, error: null };
  #activity: EngineActivity = IDLE;
  #settled: { promise: Promise<void>; resolve(): void } = createSignal();

  constructor(deps: EngineHostDeps) {
    this.#deps = deps;
    this.#now = deps.clock ?? Date.now;
  }

  get state(): EngineState {
    return this.#state;
  }
  get activity(): EngineActivity {
    return this.#activity;
  }
  get pid(): number | undefined {
    return this.#live?.process.pid;
  }

  /** Resolves when the engine serves; rejects with the reason when it stopped instead. */
  async start(init: EngineInit): Promise<void> {
    if (this.#live) throw new AppError("CONFLICT", "The engine is already running");
    this.#settled = createSignal();
    const number = ++this.#generation;
    this.#setState({ status: "starting", generation: number });
    let process: EngineProcess;
    try {
      process = this.#deps.startEngine(init);
    } catch (error) {
      this.#setState({ status: "stopped", generation: number, error: serializeError(error) });
      throw error;
    }
    const live: Generation = { number, process, startedAt: this.#now(), failure: null, isStopping: false };
    this.#live = live;
    process.onFrame((frame) => this.#onFrame(live, frame));
    void process.exited.then((exit) => this.#onExit(live, exit));
    this.#deps.log.info({ scope: "engine-host", generation: number, pid: process.pid }, "engine started");
    await this.#settled.promise;
    if (this.#state.status === "stopped") throw this.#stoppedError();
  }

  /** What the window's restart button asks for. */
  async restart(init: EngineInit): Promise<void> {
    if (this.#nFastDeaths >= MAX_FAST_DEATHS) throw this.#breakerError();
    await this.stop();
    await this.start(init);
  }

  /** Lets a new workspace try again, whatever happened in the last one. */
  resetBreaker(): void {
    this.#nFastDeaths = 0;
  }

  /** False when no engine is there to take the port; the caller closes it and the window shows its banner. */
  connect(port: MessagePortMain): boolean {
    if (!this.#live || this.#live.isStopping) return false;
    this.#live.process.openPort(port);
    return true;
  }

  /** Shutdown frame, then a kill when the budget is spent. Resolves after the exit. */
  async stop(): Promise<void> {
    const live = this.#live;
    if (!live) return;
    live.isStopping = true;
    live.process.post({ t: "shutdown" });
    const timer = setTimeout(() => {
      this.#deps.log.warn({ scope: "engine-host", generation: live.number }, "the quit budget is spent: killing");
      live.process.kill();
    }, this.#deps.quitBudgetMs ?? QUIT_BUDGET_MS);
    await live.process.exited;
    clearTimeout(timer);
  }

  #onFrame(live: Generation, frame: EngineFrame): void {
    if (live !== this.#live) return;
    if (frame.t === "ready") {
      this.#setState({ status: "running", generation: live.number });
      this.#settled.resolve();
    } else if (frame.t === "failed") live.failure = frame.error;
    else if (frame.t === "activity") this.#setActivity(frame.activity);
  }

  #onExit(live: Generation, exit: ProcessExit): void {
    this.#live = null;
    const livedMs = this.#now() - live.startedAt;
    const isCrash = !live.isStopping && !live.failure;
    if (!isCrash || livedMs >= FAST_DEATH_MS) this.#nFastDeaths = 0;
    if (isCrash && livedMs < FAST_DEATH_MS) this.#nFastDeaths++;
    const error = live.failure ?? (live.isStopping ? null : crashError(exit));
    this.#deps.log[error ? "error" : "info"](
      { scope: "engine-host", generation: live.number, ...exit, livedMs, code: error?.code },
      "engine exited",
    );
    this.#setActivity(IDLE);
    this.#setState({ status: "stopped", generation: live.number, error });
    this.#settled.resolve();
  }

  #setState(state: EngineState): void {
    this.#state = state;
    this.#deps.onState(state);
  }
  #setActivity(activity: EngineActivity): void {
    this.#activity = activity;
    this.#deps.onActivity(activity);
  }

  #stoppedError(): AppError {
    const error = this.#state.status === "stopped" ? this.#state.error : null;
    return new AppError(error?.code ?? "ENGINE_GONE", error?.message ?? "The engine has stopped", {
      hint: error?.hint,
      details: error?.details,
    });
  }
  #breakerError(): AppError {
    return new AppError("ENGINE_GONE", `The engine stopped ${MAX_FAST_DEATHS} times in a row right after its start`, {
      hint: "Close the program and start it again, or open another workspace. The log file main.log says how it ended.",
    });
  }
}

function crashError(exit: ProcessExit): SerializedError {
  const how = exit.signal ? `by ${exit.signal}` : exit.code === null ? "before it started" : `with code ${exit.code}`;
  return {
    code: "ENGINE_GONE",
    message: `The engine has stopped unexpectedly (${how})`,
    hint: "Restart it: jobs go on where they were.",
  };
}

function createSignal(): { promise: Promise<void>; resolve(): void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
