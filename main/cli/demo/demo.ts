import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { ExperimentOutput } from "../../shared/contract/job-types.ts";
import { shortfallInWords } from "../../engine/experiment/index.ts";
import { writeFileAtomic } from "../../engine/lib/files.ts";
import type { ParityReport } from "../../shared/contract/model.ts";
import type { ReflectionDetail } from "../../shared/contract/reflection.ts";
import { AppError } from "../../shared/errors.ts";
import { judgeTraining } from "../../shared/training-verdict.ts";
import type { ReflectionId } from "../../shared/ids.ts";
import { formatDuration, note } from "../lib/output.ts";
import { programVersion } from "../lib/paths.ts";
import type { Session } from "../lib/session.ts";
import { type ReportData, renderReport } from "../report/report.ts";

const DEMO_MODEL = "smollm2-135m-instruct";
const EMBEDDER = "all-minilm-l6-v2";
const RECIPE = "demo";
const QUERY = "Why does porous carbon from biomass keep its capacity at a high current density?";
const QUESTION = "How does the pore structure of a carbon anode affect lithium storage?";
const N_ITERATIONS = 2;

export type DemoOutput = {
  report: string;
  adapter: string;
  nDocuments: number;
  nPairs: number;
  lossFell: boolean;
  exoMargin: number;
  parity: ParityReport["verdict"];
  nIterations: number;
  tookMs: number;
};

/** The whole chain on the sample corpus. Every step finds what an earlier, interrupted demo has finished. */
export async function runDemo(session: Session): Promise<DemoOutput> {
  const startedAt = performance.now();
  await step("Models", () => getModels(session));
  await step("Import", () => importSample(session));
  const search = await step("Search", () => session.client.corpus.search({ query: QUERY, limit: 5 }));
  const experiment = await step("Pairs and training", () => runRecipe(session));
  const parity = await step("Parity", () => verify(session, experiment.adapterPath));
  const reflection = await step("Reflection", () => reflect(session, experiment.adapterPath));
  const data = await collect(session, experiment, { query: QUERY, hits: search.hits }, parity, reflection);
  const report = join(session.workspaceDir, "report.html");
  await writeFileAtomic(report, renderReport(data));
  const verdicts = data.runs.map((run) => ({ ...judgeTraining(run), loss: run.loss }));
  return {
    report,
    adapter: experiment.adapterPath,
    nDocuments: data.documents.filter((document) => document.status === "ready").length,
    nPairs: data.pairs.filter((pair) => pair.status === "accepted").length,
    lossFell: verdicts.every(({ firstLoss, lastLoss }) => (lastLoss ?? 0) < (firstLoss ?? 0)),
    exoMargin: verdicts.findLast((verdict) => verdict.loss === "exo")?.margin ?? Number.NaN,
    parity: parity.verdict,
    nIterations: reflection.iterations.length,
    tookMs: Math.round(performance.now() - startedAt),
  };
}

/** Starts over: everything that an earlier demo left in this workspace goes. Models stay in the cache. */
export async function clearDemo(workspaceDir: string): Promise<void> {
  if (!existsSync(join(workspaceDir, "studio.db"))) return;
  await rm(workspaceDir, { recursive: true, force: true });
}

async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  note(`▸ ${name}`);
  const startedAt = performance.now();
  const result = await run();
  note(`  ${name}: ${formatDuration(performance.now() - startedAt)}`);
  return result;
}

async function getModels({ client, finish }: Session): Promise<void> {
  const catalog = await client.model.catalog({});
  for (const name of [EMBEDDER, DEMO_MODEL]) {
    if (catalog.find((entry) => entry.name === name)?.isPresent !== true) note(`  getting ${name}`);
    await finish((await client.model.get({ name })).jobId, "model.get");
  }
}

async function importSample({ client, finish }: Session): Promise<void> {
  await finish((await client.corpus.importSample({})).jobId, "corpus.import");
  const documents = await client.corpus.listDocuments({});
  note(
    `  ${documents.filter((document) => document.status === "ready").length} of ${documents.length} papers are ready`,
  );
}

async function runRecipe({ client, finish }: Session): Promise<ExperimentOutput> {
  const { jobId } = await client.training.runRecipe({ recipe: RECIPE, key: "demo" });
  return await finish(jobId, "experiment.run");
}

async function verify({ client, finish }: Session, adapter: string): Promise<ParityReport> {
  const { jobId } = await client.model.verifyAdapter({ adapter, model: DEMO_MODEL });
  const report = await finish(jobId, "adapter.verify");
  if (report.verdict !== "failed") return report;
  throw new AppError("PARITY_FAILED", `The adapter does not pass: ${report.reasons.join(" ")}`, {
    details: { report },
  });
}

async function reflect({ client, finish }: Session, adapter: string): Promise<ReflectionDetail> {
  // a reflection knows its adapter by name
  const name = basename(adapter, ".gguf");
  const known = (await client.reflection.list({})).find((row) => row.question === QUESTION && row.adapter === name);
  let reflectionId: ReflectionId | undefined = known?.id;
  if (known?.status === "running" && known.jobId) await finish(known.jobId, "reflection.run");
  else if (known?.status !== "succeeded") {
    const input = { question: QUESTION, model: DEMO_MODEL, adapter, iterations: N_ITERATIONS, retrieve: true, seed: 7 };
    const started = await client.reflection.start(input);
    reflectionId = started.reflectionId;
    await finish(started.jobId, "reflection.run");
  }
  if (reflectionId === undefined) throw new Error("a reflection that was started has an id");
  return client.reflection.get({ reflectionId });
}

async function collect(
  { client }: Session,
  experiment: ExperimentOutput,
  search: ReportData["search"],
  parity: ParityReport,
  reflection: ReflectionDetail,
): Promise<ReportData> {
  const pairs = await client.preference.list({ limit: 500 });
  const runs = await Promise.all(
    experiment.rounds.flatMap(({ run }) => (run ? client.training.getRun({ runId: run.runId }) : [])),
  );
  return {
    title: "From papers to a tuned adapter",
    note: "Made with a very small model (SmolLM2, 135 million parameters): it shows the workflow, not the quality of an answer.",
    version: programVersion(),
    generatedAt: Date.now(),
    recipe: experiment.recipe,
    shortfalls: experiment.rounds.flatMap((round) => shortfallInWords(round) ?? []),
    documents: await client.corpus.listDocuments({}),
    search,
    pairs: pairs.rows.toSorted((a, b) => a.createdAt - b.createdAt),
    filterCounts: pairs.filterCounts,
    runs,
    parity,
    reflection,
    graph: await client.graph.get({}),
  };
}
