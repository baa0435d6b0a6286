import { resolve } from "node:path";
import type { Command } from "commander";
import type { ModelAnswer } from "../../shared/contract/model.ts";
import { describeTraining } from "../../shared/describe-training.ts";
import { AppError } from "../../shared/errors.ts";
import { DEFAULT_MARKERS } from "../../shared/markers.ts";
import { print, printJson, printTable } from "../lib/output.ts";
import { type Session, withSession } from "../lib/session.ts";

export function addModelCommands(program: Command): void {
  const models = program.command("models").description("base models: list, add, get, inspect");
  models
    .command("list")
    .description("models of this workspace, and those that `get` can obtain")
    .action((_options: unknown, command: Command) => withSession(command, listModels));
  models
    .command("add")
    .description("add a GGUF file; it stays where it is")
    .argument("<path>")
    .option("--chat-template <file>", "a chat template (Jinja) for a model that has none, or instead of its own")
    .action((path: string, { chatTemplate }: { chatTemplate?: string }, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const template = chatTemplate === undefined ? {} : { chatTemplate: resolve(chatTemplate) };
        const row = await client.model.add({ path: resolve(path), ...template });
        if (asJson) return printJson(row);
        print(`Added ${row.name} (${row.architecture}, ${row.quantisation}).`);
        print(`${row.name}: ${describeTraining(row.training)}.`);
        for (const line of row.notes) print(`Note: ${line}`);
      }),
    );
  models
    .command("get")
    .description("obtain a model by name, checked by SHA-256; the only command that may use the network")
    .argument("<name>")
    .action((name: string, _options: unknown, command: Command) =>
      withSession(command, async ({ client, asJson, finish }) => {
        const { jobId } = await client.model.get({ name });
        const output = await finish(jobId, "model.get");
        if (asJson) return printJson(output);
        print(`${name} is ready.`);
        const row = (await client.model.list({})).find(({ id }) => id === output.modelId);
        if (row) print(`${row.name}: ${describeTraining(row.training)}.`);
      }),
    );
  models
    .command("inspect")
    .description("read the header of a GGUF file")
    .argument("<path>")
    .action((path: string, _options: unknown, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const facts = await client.model.inspect({ path: resolve(path) });
        if (asJson) printJson(facts);
        else printFacts(facts);
      }),
    );
  models
    .command("markers")
    .description("what stands around the thinking of a model that was tuned elsewhere; without texts the default set")
    .argument("<model>")
    .argument("[open]")
    .argument("[close]")
    .action((model: string, open: string | undefined, close: string | undefined, _options: unknown, command: Command) =>
      withSession(command, (session) => setMarkers(session, model, open, close)),
    );
}

/** Without texts the default set counts again. */
async function setMarkers({ client, asJson }: Session, model: string, open?: string, close?: string): Promise<void> {
  if (open !== undefined && close === undefined) {
    throw new AppError("VALIDATION_FAILED", `The closing marker of ${open} is missing`, {
      hint: "Give both, in quotation marks: preflexor models markers NAME '<think>' '</think>'",
    });
  }
  const markers =
    open === undefined || close === undefined ? null : { ...DEFAULT_MARKERS, thinkingOpen: open, thinkingClose: close };
  const row = await client.model.setMarkers({ model, markers });
  if (asJson) return printJson(row);
  const { thinkingOpen, thinkingClose } = row.markers ?? DEFAULT_MARKERS;
  print(`${row.name} thinks between ${thinkingOpen} and ${thinkingClose}.`);
}

async function listModels({ client, asJson }: Session): Promise<void> {
  const models = await client.model.list({});
  const catalog = await client.model.catalog({});
  if (asJson) return printJson({ models, catalog });
  printTable(models, [
    { header: "name", value: (row) => row.name },
    { header: "architecture", value: (row) => row.architecture },
    { header: "quantisation", value: (row) => row.quantisation },
    { header: "context", value: (row) => String(row.contextLength), align: "right" },
    { header: "training", value: (row) => describeTraining(row.training) },
  ]);
  print();
  print("To be had with `preflexor models get NAME`:");
  for (const entry of catalog) print(`  ${entry.name}  ${entry.description}${entry.isPresent ? "  (present)" : ""}`);
}

function printFacts(facts: ModelAnswer): void {
  print(`${facts.name}: ${facts.architecture}, ${facts.quantisation}, context ${facts.contextLength} tokens`);
  print(`Licence: ${facts.licence ?? "not stated"}`);
  print(`${facts.name}: ${describeTraining(facts.training)}.`);
  for (const line of facts.notes) print(`Note: ${line}`);
}
