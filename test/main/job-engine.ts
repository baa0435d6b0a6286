import { engineContract } from "../../main/shared/contract/index.ts";
import type { JobRow } from "../../main/shared/contract/job.ts";
import type { Handlers } from "../../main/shared/contract/define.ts";
import { AppError } from "../../main/shared/errors.ts";
import type { JobId } from "../../main/shared/ids.ts";
import { createRpcServer } from "../../main/engine/rpc/index.ts";
import { createSilentLogger } from "../../main/engine/lib/logger.ts";
import { newId } from "../../main/engine/lib/ids.ts";
import type { Port } from "../../main/shared/rpc/port.ts";

export type JobEngine = {
  serve(port: Port): void;
  /** Announces the end of an import of these paths. */
  endImport(status: "succeeded" | "failed", paths: string[]): void;
};

/** As much of an engine as the server in front of it notices: it begins without jobs, and announces the end of some. */
export function createJobEngine(): JobEngine {
  const contract = { job: { list: engineContract.job.list, get: engineContract.job.get } };
  const ended = new Map<JobId, JobRow & { output: unknown }>();
  const handlers: Handlers<typeof contract> = {
    job: {
      list: () => [],
      get({ jobId }) {
        const job = ended.get(jobId);
        if (!job) throw new AppError("NOT_FOUND", "There is no such job");
        return { ...job, events: [] };
      },
    },
  };
  const rpc = createRpcServer(contract, handlers, { log: createSilentLogger() });
  return {
    serve: rpc.serve,
    endImport(status, paths) {
      const job: JobRow = {
        id: newId<JobId>(),
        type: "corpus.import",
        title: "Import",
        lane: "cpu",
        status,
        progress: null,
        error: null,
        attempt: 1,
        parentId: null,
        about: null,
        queuedAt: 0,
        startedAt: 0,
        finishedAt: 1,
      };
      const output = status === "succeeded" ? { documents: paths.map((path) => ({ path })) } : null;
      ended.set(job.id, { ...job, output });
      rpc.broadcast("job.changed", { job });
    },
  };
}
