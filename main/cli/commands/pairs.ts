import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { PairRow } from "../../shared/contract/preference.ts";
import { LossName, stageTitle } from "../../shared/loss.ts";
import { parsePositiveInt } from "../lib/arguments.ts";
import { note, print, printJson, printTable, shorten } from "../lib/output.ts";
import { pairText } from "../lib/pair-text.ts";
import { type Session, withSession } from "../lib/session.ts";

type GenerateOptions = {
  count: number;
  stage?: string;
  recipe?: string;
  teacher?: string;
  policy?: string;
  adapter?: string;
  seed?: number;
};

type ListOptions = { stage?: string; loss?: LossName; status?: "accepted" | "filtered" };

const stageOption = () => new Option("--stage <name>", "a stage, by its name or its loss's");

export function addPairCommands(program: Command): void {
  const pairs = program.command("pairs").description("preference pairs: generate, list, show, export, import");
  pairs
    .command("generate")
    .description("make preference pairs from the corpus")
    .requiredOption("--count <n>", "number of accepted pairs", parsePositiveInt)
    .addOption(stageOption())
    .option("--recipe <file>", "recipe file or name")
    .option("--teacher <model>")
    .option("--policy <model>")
    .option("--adapter <file>", "the policy's adapter")
    .option("--seed <n>", "seed", parsePositiveInt)
    .action((options: GenerateOptions, command: Command) =>
      withSession(command, (session) => generate(session, options)),
    );
  pairs
    .command("list")
    .description("the ledger: accepted and filtered pairs")
    .addOption(stageOption())
    .addOption(new Option("--loss <loss>", "pairs made for this loss").choices(LossName.options))
    .addOption(new Option("--status <status>", "only these").choices(["accepted", "filtered"]))
    .action((options: ListOptions, command: Command) => withSession(command, (session) => list(session, options)));
  pairs
    .command("show")
    .description("one pair: what it says, and which words of the papers each statement rests on")
    .argument("<id>")
    .action((id: string, _options: unknown, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const pair = await client.preference.get({ pairId: id });
        if (asJson) printJson(pair);
        else print(pairText(pair));
      }),
    );
  pairs
    .command("export")
    .description("write the accepted pairs to a file")
    .argument("<file>")
    .addOption(
      new Option("--format <format>", "jsonl keeps everything; trl is prompt, chosen, rejected")
        .choices(["jsonl", "trl"])
        .default("jsonl"),
    )
    .action((file: string, { format }: { format: "jsonl" | "trl" }, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const result = await client.preference.export({ path: resolve(file), format });
        if (asJson) printJson(result);
        else print(`${result.nPairs} pairs written to ${result.path}.`);
      }),
    );
  pairs
    .command("import")
    .description("read pairs from a file of either format into the ledger")
    .argument("<file>")
    .action((file: string, _options: unknown, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const result = await client.preference.import({ path: resolve(file) });
        if (asJson) printJson(result);
        else {
          for (const warning of result.warnings) note(warning);
          print(`${result.nPairs} pairs imported, ${result.nSkipped} skipped.`);
        }
      }),
    );
}

async function generate({ client, finish, asJson }: Session, options: GenerateOptions): Promise<void> {
  const { jobId } = await client.preference.generate(options);
  const output = await finish(jobId, "preference.generate");
  if (asJson) return printJson(output);
  const { rows, filterCounts } = output;
  printPairs(rows);
  printFilterCounts(filterCounts);
}

async function list({ client, asJson }: Session, options: ListOptions): Promise<void> {
  const result = await client.preference.list({ ...options, limit: 500 });
  if (asJson) return printJson(result);
  if (result.total === 0) return print("No pairs yet. Make some with: preflexor pairs generate --count 4");
  printPairs(result.rows);
  printFilterCounts(result.filterCounts);
}

function printPairs(rows: readonly PairRow[]): void {
  printTable<PairRow>(rows, [
    { header: "id", value: (row) => row.id },
    { header: "stage", value: stageTitle },
    { header: "status", value: (row) => row.filterReason ?? row.status },
    { header: "question", value: (row) => shorten(row.question, 80) },
  ]);
}

function printFilterCounts(counts: Record<string, number>): void {
  for (const [reason, count] of Object.entries(counts)) print(`filtered: ${reason} × ${count}`);
}
