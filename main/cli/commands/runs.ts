import { type Command, Option } from "commander";
import { Keep, type RunSpace } from "../../shared/contract/training.ts";
import { formatBytes } from "../../shared/format-bytes.ts";
import { stageTitle } from "../../shared/loss.ts";
import { print, printJson, printTable } from "../lib/output.ts";
import { withSession } from "../lib/session.ts";

type Options = { keep?: Keep };

const keepOption = () =>
  new Option(
    "--keep <which>",
    "adapters to keep: the last one, the last of each stage, or all (default: as the recipe says)",
  ).choices(Keep.options);

/** What training runs take of the disk, and the way to have it back. */
export function addRunsCommands(program: Command): void {
  const runs = program.command("runs").description("training runs and the room they take: list, clean");
  runs
    .command("list")
    .description("every run with the room that its files take and that could be freed")
    .addOption(keepOption())
    .action((options: Options, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const space = await client.training.space(options);
        if (asJson) printJson(space);
        else printSpace(space);
      }),
    );
  runs
    .command("clean")
    .description("free what no run that can be gone on with needs: old checkpoints, and adapters that are not kept")
    .addOption(keepOption())
    .action((options: Options, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const result = await client.training.cleanRuns(options);
        if (asJson) printJson(result);
        else print(`${formatBytes(result.freedBytes)} freed.`);
      }),
    );
}

function printSpace({ runs, totalBytes, freeableBytes }: RunSpace): void {
  if (runs.length === 0) return print("No training runs yet.");
  printTable<RunSpace["runs"][number]>(runs, [
    { header: "run", value: (row) => row.runId },
    { header: "stage", value: (row) => `${stageTitle(row)} round ${row.round + 1}` },
    { header: "status", value: (row) => row.status },
    { header: "size", value: (row) => formatBytes(row.sizeBytes), align: "right" },
    { header: "can be freed", value: (row) => formatBytes(row.freeableBytes), align: "right" },
  ]);
  print(`${formatBytes(totalBytes)} in all; preflexor runs clean frees ${formatBytes(freeableBytes)}.`);
}
