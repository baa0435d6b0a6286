/**
 * node test/harness/compare-demos.ts <workspace> <workspace>
 *
 * Whether two finished demos came out the same: texts of all pairs, the step-by-step numbers and the adapter of every
 * run, and the texts of the reflections. A change that only moves code gives the same demo, bit for bit, on the same machine;
 * ids, times and paths are left out of the comparison. Ends with 1 where anything differs, and says what comes first.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";

/** A line of what a demo came to: under which name it is compared, and the value. */
export type Line = { name: string; value: string };
export type Demo = Record<"pairs" | "steps" | "adapters" | "reflections", Line[]>;
export type Difference = { part: keyof Demo; name: string; before: string | null; after: string | null };

export function readDemo(workspaceDir: string): Demo {
  const path = join(workspaceDir, "studio.db");
  if (!existsSync(path)) throw new Error(`${workspaceDir} holds no workspace`);
  const db = new Database(path, { readonly: true });
  try {
    return { pairs: pairsOf(db), ...runsOf(db, workspaceDir), reflections: reflectionsOf(db) };
  } finally {
    db.close();
  }
}

export function compareDemos(before: Demo, after: Demo): Difference[] {
  return (Object.keys(before) as (keyof Demo)[]).flatMap((part) => {
    const nLines = Math.max(before[part].length, after[part].length);
    return Array.from({ length: nLines }, (_, i) => ({ a: before[part][i], b: after[part][i] })).flatMap(({ a, b }) =>
      a?.name === b?.name && a?.value === b?.value
        ? []
        : [{ part, name: a?.name ?? b!.name, before: a?.value ?? null, after: b?.value ?? null }],
    );
  });
}

/** What differs from run to run on one machine. */
const OF_THE_MACHINE = new Set(["memory_mb", "seconds", "tokens_per_second"]);

type Db = InstanceType<typeof Database>;

/** In the order in which they were made: the stage's key is not the same in every version. */
function pairsOf(db: Db): Line[] {
  type Row = Record<"question" | "chosen" | "rejected" | "thinking" | "sources" | "status", string> & {
    round: number;
    ordinal: number;
    filter_reason: string | null;
  };
  const rows = db
    .prepare<[], Row>(
      "SELECT round, ordinal, question, chosen, rejected, thinking, sources, status, filter_reason FROM preference_pair ORDER BY created_at, id",
    )
    .all();
  return rows.flatMap(({ round, ordinal, thinking, sources, filter_reason, ...texts }, i) => {
    const where = `pair ${i} (round ${round + 1}, attempt ${ordinal + 1})`;
    const parts = {
      ...texts,
      reason: filter_reason ?? "",
      thinking: thinkingText(thinking),
      sources: sourcesText(sources),
    };
    return Object.entries(parts).map(([name, value]) => ({ name: `${where}: ${name}`, value }));
  });
}

/** Statements are texts, or objects that hold one. */
function thinkingText(json: string): string {
  const sections = JSON.parse(json) as { name: string; statements: (string | { text: string })[] }[];
  const textOf = (statement: string | { text: string }) => (typeof statement === "string" ? statement : statement.text);
  return JSON.stringify(sections.map(({ name, statements }) => [name, statements.map(textOf)]));
}

function sourcesText(json: string): string {
  type Source = { title: string; page: number; start: number; end: number; score: number | null; role: string };
  return JSON.stringify(
    (JSON.parse(json) as Source[]).map(({ title, page, start, end, score, role }) => [
      title,
      page,
      start,
      end,
      score,
      role,
    ]),
  );
}

function runsOf(db: Db, workspaceDir: string): Pick<Demo, "steps" | "adapters"> {
  const runs = db
    .prepare<[], RunOfDemo>("SELECT id, round, status, adapter_out FROM training_run ORDER BY started_at, id")
    .all();
  const metrics = db.prepare<[string], { step: number; name: string; value: number }>(
    "SELECT step, name, value FROM training_metric WHERE run_id = ? ORDER BY step, name",
  );
  const nameOf = (i: number, round: number) => `run ${i} (round ${round + 1})`;
  return {
    steps: runs.flatMap(({ id, round }, i) =>
      metrics
        .all(id)
        .filter(({ name }) => !OF_THE_MACHINE.has(name))
        .map(({ step, name, value }) => ({ name: `${nameOf(i, round)}, step ${step}: ${name}`, value: String(value) })),
    ),
    adapters: runs.map((run, i) => ({ name: nameOf(i, run.round), value: adapterOf(run, workspaceDir) })),
  };
}

type RunOfDemo = { id: string; round: number; status: string; adapter_out: string | null };

/**
 * By its bytes. The workspace may have been moved since, and one of an earlier version keeps the adapter beside the
 * checkpoints. A run that succeeded and has none would be equal to any other, so it ends the comparison.
 */
function adapterOf({ id, status, adapter_out }: RunOfDemo, workspaceDir: string): string {
  if (status !== "succeeded") return status;
  const written = adapter_out === null ? [] : [adapter_out, join(workspaceDir, "adapters", basename(adapter_out))];
  const paths = [...written, join(workspaceDir, "runs", id, "adapter.gguf")];
  const path = paths.find((each) => existsSync(each));
  if (!path) throw new Error(`the run ${id} succeeded, and its adapter is not there: ${paths.join(", ")}`);
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

function reflectionsOf(db: Db): Line[] {
  type Row = { index: number; thinking: string; reflection: string; answer: string };
  const rows = db
    .prepare<[], Row>(
      `SELECT "index", thinking, iteration.reflection, answer FROM iteration
         JOIN reflection ON reflection.id = iteration.reflection_id ORDER BY reflection.created_at, "index"`,
    )
    .all();
  return rows.flatMap(({ index, ...texts }) =>
    Object.entries(texts).map(([name, value]) => ({ name: `iteration ${index}: ${name}`, value })),
  );
}

function report(before: Demo, after: Demo): number {
  const differences = compareDemos(before, after);
  for (const part of Object.keys(before) as (keyof Demo)[]) {
    const nDifferent = differences.filter((difference) => difference.part === part).length;
    console.log(`${part}: ${before[part].length} and ${after[part].length} values, ${nDifferent} different`);
  }
  const [first] = differences;
  if (!first) return 0;
  console.log(`first difference: ${first.name}\n- ${first.before ?? "nothing"}\n+ ${first.after ?? "nothing"}`);
  return 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [before, after] = process.argv.slice(2);
  if (!before || !after) throw new Error("usage: node test/harness/compare-demos.ts <workspace> <workspace>");
  process.exitCode = report(readDemo(resolve(before)), readDemo(resolve(after)));
}
