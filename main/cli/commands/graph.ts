import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { AppError } from "../../shared/errors.ts";
import type { ConceptId } from "../../shared/ids.ts";
import { print, printJson } from "../lib/output.ts";
import { type Session, withSession } from "../lib/session.ts";

export function addGraphCommands(program: Command): void {
  const graph = program.command("graph").description("knowledge graph: build, stats, path, export");
  graph
    .command("build")
    .description("read every pair's thinking again and rebuild the graph")
    .action((_options: unknown, command: Command) =>
      withSession(command, async (session) => {
        const { jobId } = await session.client.graph.build({});
        await session.finish(jobId, "graph.build");
        await printStats(session);
      }),
    );
  graph
    .command("stats")
    .description("counts by type")
    .action((_options: unknown, command: Command) => withSession(command, printStats));
  graph
    .command("path")
    .description("shortest chain of relations between two concepts")
    .argument("<a>")
    .argument("<b>")
    .action((a: string, b: string, _options: unknown, command: Command) =>
      withSession(command, (session) => printPath(session, a, b)),
    );
  graph
    .command("export")
    .description("write the graph to a file")
    .argument("<file>")
    .addOption(new Option("--format <format>").choices(["graphml", "gexf", "json"]).default("graphml"))
    .action((file: string, { format }: { format: "graphml" | "gexf" | "json" }, command: Command) =>
      withSession(command, async ({ client, asJson }) => {
        const result = await client.graph.export({ path: resolve(file), format });
        if (asJson) printJson(result);
        else print(`${result.nConcepts} concepts and ${result.nRelations} relations written to ${result.path}.`);
      }),
    );
}

async function printStats({ client, asJson }: Session): Promise<void> {
  const stats = await client.graph.stats({});
  if (asJson) return printJson(stats);
  print(`${stats.nConcepts} concepts, ${stats.nRelations} relations, ${stats.nEvidence} pieces of evidence`);
  for (const [type, count] of Object.entries(stats.byType)) print(`  ${type}: ${count}`);
}

async function printPath({ client, asJson }: Session, a: string, b: string): Promise<void> {
  const { concepts, relations } = await client.graph.get({});
  const find = (label: string): ConceptId => {
    const concept = concepts.find((row) => row.label.toLowerCase() === label.toLowerCase());
    if (!concept) throw new AppError("NOT_FOUND", `There is no concept "${label}" in the graph`);
    return concept.id;
  };
  const path = await client.graph.path({ fromId: find(a), toId: find(b) });
  const labels = new Map(concepts.map((concept) => [concept.id, concept.label]));
  const steps = path.relationIds.map((id, i) => {
    const relation = relations.find((row) => row.id === id);
    const sentence = relation?.type ?? "";
    const isForward = relation?.sourceId === path.conceptIds[i];
    return { relationId: id, type: sentence, isForward };
  });
  const nodes = path.conceptIds.map((id) => ({ id, label: labels.get(id) ?? "" }));
  if (asJson) return printJson({ concepts: nodes, relations: steps });
  if (nodes.length === 0) return print(`No chain of relations leads from "${a}" to "${b}".`);
  print(nodes.map((node, i) => (i === 0 ? node.label : `${arrow(steps[i - 1])} ${node.label}`)).join(" "));
}

function arrow(step: { type: string; isForward: boolean } | undefined): string {
  return step?.isForward === false ? `←[${step.type}]–` : `–[${step?.type ?? ""}]→`;
}
