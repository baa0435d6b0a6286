import { JobInputs } from "../../shared/contract/job-types.ts";
import { defineJob } from "../jobs/index.ts";
import type { TrainingDeps } from "./deps.ts";
import { verifyAdapter } from "./parity.ts";

/** The parity report of an adapter file against a model; its output is the report, whatever the verdict. */
export function verifyAdapterJob(deps: TrainingDeps) {
  return defineJob({
    type: "adapter.verify",
    lane: "gpu",
    recovery: "requeue",
    input: JobInputs["adapter.verify"],
    title: ({ adapterPath }) => `Verify ${adapterPath}`,
    async run({ input, signal, progress }) {
      progress({ n: 0, total: 1, unit: "adapters", message: "comparing log-probs" });
      const { report } = await verifyAdapter(deps, input, signal);
      const adapter = deps.models.findAdapterByPath(input.adapterPath);
      if (adapter) deps.models.setParity(adapter.id, report);
      progress({ n: 1, total: 1, unit: "adapters", message: report.verdict });
      return report;
    },
  });
}
