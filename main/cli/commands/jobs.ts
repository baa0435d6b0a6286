import type { Command } from "commander";
import type { JobRow } from "../../shared/contract/job.ts";
import { print, printJson, printTable, shorten } from "../lib/output.ts";
import { withSession } from "../lib/session.ts";

export function addJobsCommand(program: Command): void {
  program
    .command("jobs")
    .description("what is running, waiting and done")
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const jobs = await client.job.list({ limit: 100 });
        if (asJson) return printJson({ jobs });
        if (jobs.length === 0) return print("No jobs yet.");
        printTable<JobRow>(jobs, [
          { header: "id", value: (row) => row.id },
          { header: "status", value: (row) => row.status },
          { header: "title", value: (row) => shorten(row.title, 60) },
          { header: "error", value: (row) => shorten(row.error?.message ?? "", 60) },
        ]);
      }),
    );
}
