import { MessageChannel } from "node:worker_threads";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { createEngine, type Engine } from "../../engine/engine.ts";
import { startNodeHost } from "../../engine/inference/index.ts";
import { createFileLogger } from "../../engine/lib/logger.ts";
import { portOfMessagePort } from "../../engine/rpc/index.ts";
import {
  type EngineClient,
  engineContract,
  type EngineContract,
  type EngineEvents,
} from "../../shared/contract/index.ts";
import { type JobOutput, type JobType, outputOf } from "../../shared/contract/job-types.ts";
import type { JobRow } from "../../shared/contract/job.ts";
import { AppError, deserializeError } from "../../shared/errors.ts";
import type { JobId } from "../../shared/ids.ts";
import { createRpcClient, type RpcClient } from "../../shared/rpc/client.ts";
import { showProgress } from "./progress.ts";
import {
  defaultWorkspaceDir,
  modelHostPath,
  packagesDir,
  pdfWorkerPath,
  programVersion,
  resourcesDir,
  trainerPath,
} from "./paths.ts";

export type GlobalOptions = { workspace?: string; json?: boolean; device?: string };

export type Session = {
  engine: Engine;
  client: EngineClient;
  on: RpcClient<EngineContract, EngineEvents>["on"];
  asJson: boolean;
  workspaceDir: string;
  /** Follows a job to its end with progress on stderr, and gives its output. Ctrl-C leaves it to be gone on with. */
  finish<Type extends JobType>(jobId: JobId, type: Type): Promise<JobOutput<Type>>;
  /** Settles, by rejection, when the user asks the command to end. */
  interrupted: Promise<never>;
};

/** Opens the engine in this process, runs the command through the contract, and closes in good order. */
export async function withSession(
  command: Command,
  run: (session: Session) => Promise<void>,
  defaultDir = defaultWorkspaceDir(),
): Promise<void> {
  const options = command.optsWithGlobals<GlobalOptions & { set?: Record<string, string> }>();
  const workspaceDir = resolve(options.workspace ?? defaultDir);
  const engine = await openEngine(workspaceDir, wantedDevice(options));
  const { port1, port2 } = new MessageChannel();
  engine.serve(portOfMessagePort(port1));
  const { client, on, close } = createRpcClient<EngineContract, EngineEvents>(engineContract, portOfMessagePort(port2));
  const asJson = options.json === true;
  const interrupt = catchInterrupt();
  const finish = async <Type extends JobType>(jobId: JobId, type: Type) => {
    await followJob({ client, on, asJson }, jobId, interrupt.happened);
    return outputOf(await client.job.get({ jobId }), type);
  };
  try {
    await run({ engine, client, on, asJson, workspaceDir, finish, interrupted: interrupt.happened });
  } finally {
    interrupt.release();
    close();
    await engine.close();
  }
}

/** `--set device=…` of a command means the whole command, so that its inference runs there, too. */
function wantedDevice(options: GlobalOptions & { set?: Record<string, string> }): string | undefined {
  return options.set?.["device"] ?? options.device ?? process.env["PREFLEXOR_DEVICE"];
}

export function openEngine(workspaceDir: string, device?: string): Promise<Engine> {
  return createEngine({
    workspaceDir,
    resourcesDir,
    pdfWorkerPath,
    compute: { trainerPath, packagesDir, device },
    startHost: startNodeHost(modelHostPath),
    log: createFileLogger(join(workspaceDir, "logs", "engine.log")),
    version: programVersion(),
  });
}

async function followJob(
  session: Pick<Session, "client" | "on" | "asJson">,
  jobId: JobId,
  interrupted: Promise<never>,
): Promise<void> {
  const progress = showProgress();
  let settle: (job: JobRow) => void = () => {};
  const ended = new Promise<JobRow>((done) => (settle = done));
  const stop = session.on("job.changed", ({ job }) => {
    progress.update(job);
    if (job.id === jobId && job.finishedAt !== null) settle(job);
  });
  try {
    const now = await session.client.job.get({ jobId });
    if (now.finishedAt !== null) settle(now);
    const job = await Promise.race([ended, interrupted]);
    if (job.status === "succeeded") return;
    // a stored error has the shape that serializeError gave it
    throw deserializeError({ code: "INTERNAL", message: "The job failed", ...job.error } as never);
  } finally {
    stop();
    progress.end();
  }
}

/** The first Ctrl-C ends the command in good order with exit code 4; the second ends it at once. */
function catchInterrupt(): { happened: Promise<never>; release(): void } {
  let reject: (error: AppError) => void = () => {};
  const happened = new Promise<never>((_, fail) => (reject = fail));
  // nobody may be waiting when it happens
  happened.catch(() => {});
  const onSignal = () => {
    process.once("SIGINT", () => process.exit(4));
    reject(new AppError("INTERRUPTED", "Stopped", { hint: "Run the same command again: it goes on where it was." }));
  };
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  return {
    happened,
    release() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
