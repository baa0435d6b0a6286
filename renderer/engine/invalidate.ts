import type { QueryClient } from "@tanstack/react-query";
import type { JobRow } from "../../main/shared/contract/job.ts";
import type { EngineEventName } from "../../main/shared/contract/index.ts";
import type { Engine } from "./connection.ts";

/** The methods whose answers an event makes stale, by prefix. Bytes of a PDF never change: they are known by content. */
const STALE_AFTER: { [N in EngineEventName]?: string[] } = {
  "corpus.changed": ["corpus.listDocuments", "corpus.getDocument", "corpus.getPage", "corpus.search", "workspace."],
  "model.changed": ["model.", "workspace."],
  "device.changed": ["device.", "model."],
  "preference.changed": ["preference.", "workspace."],
  "reflection.changed": ["reflection.", "workspace."],
  "graph.changed": ["graph."],
};

/** An import announces every document; asking again more often than this only makes the engine slower. */
const PAUSE_MS = 250;

export const JOB_LIST_INPUT = { limit: 200 };

/** Keeps the cache true: every fact that the engine announces makes the answers about it stale. */
export function invalidateOnEvents(engine: Engine, cache: QueryClient): void {
  const pending = new Set<string>();
  let timer: number | undefined;
  const flush = () => {
    timer = undefined;
    const prefixes = [...pending];
    pending.clear();
    void cache.invalidateQueries({
      predicate: ({ queryKey: [method] }) =>
        typeof method === "string" && prefixes.some((prefix) => method.startsWith(prefix)),
    });
  };
  for (const [name, prefixes] of Object.entries(STALE_AFTER)) {
    engine.on(name as EngineEventName, () => {
      for (const prefix of prefixes) pending.add(prefix);
      timer ??= window.setTimeout(flush, PAUSE_MS);
    });
  }
  engine.on("job.changed", ({ job }) => {
    cache.setQueryData<JobRow[]>(["job.list", JOB_LIST_INPUT], (rows) => rows && withJob(rows, job));
    void cache.invalidateQueries({ queryKey: ["job.get", { jobId: job.id }] });
  });
  let wasGone = false;
  engine.subscribe(() => {
    if (engine.status() === "gone") wasGone = true;
    if (engine.status() === "open" && wasGone) {
      wasGone = false;
      void cache.invalidateQueries();
    }
  });
}

/** The list with this row in its newest form; rows stay in the order in which they were queued, newest first. */
function withJob(rows: JobRow[], job: JobRow): JobRow[] {
  const index = rows.findIndex((row) => row.id === job.id);
  return index < 0 ? [job, ...rows] : rows.with(index, job);
}
