import { engineContract } from "../../main/shared/contract/index.ts";
import type { JobRow } from "../../main/shared/contract/job.ts";
import type { Handlers } from "../../main/shared/contract/define.ts";
import { createRpcServer } from "../../main/engine/rpc/index.ts";
import { createSilentLogger } from "../../main/engine/lib/logger.ts";
import { newId } from "../../main/engine/lib/ids.ts";
import type { Port } from "../../main/shared/rpc/port.ts";

export type JobEngine = {
  serve(port: Port): void;
  /** Announces the end of an import of these paths. */
  endImport(status: "succeeded" | "failed", paths: string[]): void;
};

/** As much of an engine as the server in front of it notices: it has no jobs, and announces the end of some. */
export function createJobEngine(): JobEngine {
  const contract = { job: { list: engineContract.job.list } };
  const handlers: Handlers<typeof contract> = { job: { list: () => [] } };
  const rpc = createRpcServer(contract, handlers, { log: createSilentLogger() });
  return {
    serve: rpc.serve,
    endImport(status, paths) {
      const output = status === "succeeded" ? { documents: paths.map((path) => ({ path })) } : null;
      const job: JobRow = {
        id: newId(),
        type: "corpus.import",
        title: "Import",
        lane: "cpu",
        status,
        progress: null,
        error: null,
        output,
        attempt: 1,
        parentId: null,
        queuedAt: 0,
        startedAt: 0,
        finishedAt: 1,
      };
      rpc.broadcast("job.changed", { job });
    },
  };
}
