import type { Client } from "../../shared/contract/define.ts";
import { AppError, isAppError } from "../../shared/errors.ts";
import { createRpcClient, type RpcClient } from "../../shared/rpc/client.ts";
import { type HostContract, hostContract } from "./host/contract.ts";
import type { HostProcess, StartHost } from "./host-process.ts";

export type ModelHostClient = Client<HostContract>;

/**
 * Owns the process that holds the models. [Note: model host] It starts at the first call. At most one lives: a
 * successor starts only after the exit of the one before has been seen. A death rejects what was in flight with
 * HOST_CRASHED, naming it; nothing is repeated here. After three deaths without one answer it stays down for a while.
 */
export type ModelHost = {
  /** `doing` completes "The model host died while it was …". */
  call<T>(doing: string, run: (client: ModelHostClient) => Promise<T>): Promise<T>;
  /** Ends the process; a later call starts it anew. */
  stop(): Promise<void>;
  /** Counts starts, from 1. */
  readonly generation: number;
};

type Generation = {
  process: HostProcess;
  rpc: RpcClient<HostContract, object>;
  hasAnswered: boolean;
  isStopping: boolean;
};

const MAX_DEATHS = 3;
const COOL_DOWN_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

export function createModelHost(options: { startHost: StartHost; now?: () => number }): ModelHost {
  const now = options.now ?? (() => performance.now());
  let current: Generation | null = null;
  let lastExit: Promise<unknown> = Promise.resolve();
  let starting: Promise<Generation> | null = null;
  let generation = 0;
  let nDeaths = 0;
  let downUntil = 0;

  function ensure(): Promise<Generation> {
    if (current) return Promise.resolve(current);
    if (nDeaths >= MAX_DEATHS && now() < downUntil) throw downError();
    starting ??= lastExit.then(start).finally(() => (starting = null));
    return starting;
  }

  function start(): Generation {
    const process = options.startHost("model-host");
    const rpc = createRpcClient<HostContract, object>(hostContract, process.port, "model host");
    const entry: Generation = { process, rpc, hasAnswered: false, isStopping: false };
    generation++;
    current = entry;
    lastExit = process.exited.then(() => {
      if (current === entry) current = null;
      if (!entry.isStopping && !entry.hasAnswered) recordDeath();
      // whatever the port has not noticed yet is rejected now
      rpc.close();
    });
    return entry;
  }

  function recordDeath(): void {
    nDeaths++;
    if (nDeaths >= MAX_DEATHS) downUntil = now() + COOL_DOWN_MS;
  }

  async function explainDeath(entry: Generation, doing: string, cause: unknown): Promise<AppError> {
    if (entry.isStopping)
      return new AppError("CANCELLED", `The model host was stopped while it was ${doing}`, { cause });
    // A closed port and a live process would leave the next call waiting for an exit that never comes.
    entry.process.kill();
    if (current === entry) current = null;
    const { code, signal } = await entry.process.exited;
    await lastExit;
    return new AppError(
      "HOST_CRASHED",
      `The model host died (${signal ?? `exit code ${code}`}) while it was ${doing}`,
      {
        hint: "It starts again by itself. If this repeats, the model may be damaged or too large for this machine's memory.",
        details: { doing, exitCode: code, signal },
        cause,
      },
    );
  }

  return {
    get generation() {
      return generation;
    },
    async call(doing, run) {
      const entry = await ensure();
      try {
        const result = await run(entry.rpc.client);
        entry.hasAnswered = true;
        nDeaths = 0;
        return result;
      } catch (error) {
        if (isAppError(error, "ENGINE_GONE")) throw await explainDeath(entry, doing, error);
        if (!isAppError(error, "CANCELLED")) {
          entry.hasAnswered = true;
          nDeaths = 0;
        }
        throw error;
      }
    },
    async stop() {
      const entry = current ?? (await starting?.catch(() => null));
      if (!entry) return;
      entry.isStopping = true;
      current = null;
      entry.rpc.close();
      const timer = setTimeout(() => entry.process.kill(), STOP_TIMEOUT_MS);
      await entry.process.exited;
      clearTimeout(timer);
    },
  };
}

function downError(): AppError {
  return new AppError("HOST_CRASHED", `The model host died ${MAX_DEATHS} times in a row without giving an answer`, {
    hint: "Wait half a minute and try again with another model; `doctor` checks the native libraries and the memory.",
  });
}
