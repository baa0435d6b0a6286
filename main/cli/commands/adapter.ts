import { resolve } from "node:path";
import type { Command } from "commander";
import type { ParityReport } from "../../shared/contract/model.ts";
import { AppError } from "../../shared/errors.ts";
import { print, printJson, printTable } from "../lib/output.ts";
import { parityInWords, parityVerdict } from "../lib/parity-words.ts";
import { type Session, withSession } from "../lib/session.ts";

export function addAdapterCommands(program: Command): void {
  const adapter = program.command("adapter").description("adapters: inspect, verify");
  adapter
    .command("inspect")
    .description("read the header of an adapter")
    .argument("<file>")
    .action((file: string, _options: unknown, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const facts = await client.model.inspectAdapter({ path: resolve(file) });
        if (asJson) printJson(facts);
        else
          print(
            `${facts.architecture}, r ${facts.r}, alpha ${facts.alpha}, ${facts.nTensors} tensors on ${facts.targets.join(", ")}`,
          );
      }),
    );
  adapter
    .command("verify")
    .description("parity report: does the adapter do to llama.cpp what it was trained to do?")
    .argument("<file>")
    .requiredOption("--model <model>", "the base model")
    .action((file: string, options: { model: string }, command: Command) =>
      withSession(command, (session) => verify(session, resolve(file), options.model)),
    );
}

async function verify({ client, finish, asJson }: Session, adapter: string, model: string): Promise<void> {
  const { jobId } = await client.model.verifyAdapter({ adapter, model });
  const report = await finish(jobId, "adapter.verify");
  if (report.verdict !== "passed") throw notPassed(report);
  if (asJson) printJson(report);
  else printReport(report);
}

function notPassed(report: ParityReport): AppError {
  if (report.verdict === "failed")
    return new AppError("PARITY_FAILED", `The adapter does not pass: ${report.reasons.join(" ")}`, {
      hint: "Do not use this file. Train it again, or fetch an undamaged copy together with its card.",
      details: { report },
    });
  return new AppError(
    "PARITY_NOT_PROVABLE",
    `No fault was found, but parity cannot be shown: ${report.reasons.join(" ")}`,
    {
      hint: "Train for longer, or check on a machine with memory and disk for the model's weights in F32.",
      details: { report },
    },
  );
}

export function printReport(report: ParityReport): void {
  printTable(report.rows, [
    { header: "probe", value: (row) => `${row.id} ${row.side}` },
    { header: "tokens", value: (row) => String(row.nTokens), align: "right" },
    { header: "trainer", value: (row) => row.trainerLogpSum.toFixed(4), align: "right" },
    { header: "llama.cpp", value: (row) => row.llamaLogpSum.toFixed(4), align: "right" },
    { header: "mean difference", value: (row) => row.meanAbsDifference.toExponential(2), align: "right" },
    { header: "largest", value: (row) => row.maxAbsDifference.toExponential(2), align: "right" },
  ]);
  print();
  for (const sentence of parityInWords(report)) print(sentence);
  print(`Parity ${parityVerdict(report.verdict)}.`);
}
