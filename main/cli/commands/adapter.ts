import { resolve } from "node:path";
import type { Command } from "commander";
import type { ParityReport } from "../../shared/contract/model.ts";
import { AppError } from "../../shared/errors.ts";
import { print, printJson, printTable } from "../lib/output.ts";
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
    .description("parity report: does llama.cpp give the trainer's log-probs with this adapter?")
    .argument("<file>")
    .requiredOption("--model <model>", "the base model")
    .action((file: string, options: { model: string }, command: Command) =>
      withSession(command, (session) => verify(session, resolve(file), options.model)),
    );
}

async function verify({ client, finish, asJson }: Session, adapter: string, model: string): Promise<void> {
  const { jobId } = await client.model.verifyAdapter({ adapter, model });
  const report = await finish(jobId, "adapter.verify");
  if (report.verdict === "failed") {
    throw new AppError("PARITY_FAILED", `The adapter does not pass: ${report.reasons.join(" ")}`, {
      hint: "Do not use this file. Train it again, or fetch an undamaged copy together with its card.",
      details: { report },
    });
  }
  if (asJson) printJson(report);
  else printReport(report);
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
  print(
    `Parity ${report.verdict} (${report.measure === "max_abs_difference" ? "every token within" : "mean at most"} ${report.tolerance.toPrecision(2)}); the adapter changes log-probs by ${report.adapterEffect?.toFixed(4)} per token.`,
  );
}
