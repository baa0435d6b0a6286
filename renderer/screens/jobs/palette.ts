import { JOB_LIST_INPUT } from "../../engine/invalidate.ts";
import { useEngineCommand, useEngineQuery } from "../../engine/queries.ts";
import { paletteAction, type PaletteCommand } from "../../lib/palette-command.ts";

/** The end of whatever runs. */
export function useJobsPalette(): PaletteCommand[] {
  const { data: jobs = [] } = useEngineQuery("job.list", JOB_LIST_INPUT);
  const cancel = useEngineCommand("job.cancel");
  return jobs
    .filter(({ status }) => status === "running" || status === "queued")
    .map((job) => paletteAction(`cancel.${job.id}`, `Cancel: ${job.title}`, () => cancel.mutate({ jobId: job.id })));
}
