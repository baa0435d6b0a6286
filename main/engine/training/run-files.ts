import { readdirSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { TrainingRunRow } from "../../shared/contract/training.ts";
import type { Models } from "../models/index.ts";
import { cardPathOf } from "../models/index.ts";

/**
 * What lies on the disk for a run: the adapter that it gave, with its card; the trainer's checkpoint; the trainer's own
 * copy of the adapter; and the record of what was trained with what, which is small and stays.
 */
export type RunFileRole = "adapter" | "checkpoint" | "copy" | "record";
export type RunFile = { role: RunFileRole; path: string; sizeBytes: number };

export function runFilesOf(
  workspaceDir: string,
  { id, adapterOut }: Pick<TrainingRunRow, "id" | "adapterOut">,
): RunFile[] {
  const dir = join(workspaceDir, "runs", id);
  const inFolder = namesIn(dir).map((name) => ({ role: roleOf(name), path: join(dir, name) }));
  const adapter = adapterOut === null ? [] : [adapterOut, cardPathOf(adapterOut)];
  const outside = adapter.map((path) => ({ role: "adapter" as const, path }));
  return [...inFolder, ...outside].flatMap((file) => {
    const sizeBytes = statSync(file.path, { throwIfNoEntry: false })?.size;
    return sizeBytes === undefined ? [] : [{ ...file, sizeBytes }];
  });
}

/**
 * Removes the run's files of these roles and gives the bytes that they took. It can be stopped anywhere and done again:
 * an adapter is forgotten after its file is gone, and what is gone already is no matter.
 */
export async function dropRunFiles(
  deps: { workspaceDir: string; models: Pick<Models["api"], "forgetAdapter"> },
  run: Pick<TrainingRunRow, "id" | "adapterOut">,
  roles: ReadonlySet<RunFileRole>,
): Promise<number> {
  let freedBytes = 0;
  for (const { role, path, sizeBytes } of runFilesOf(deps.workspaceDir, run)) {
    if (!roles.has(role)) continue;
    await rm(path, { force: true });
    freedBytes += sizeBytes;
  }
  if (roles.has("adapter") && run.adapterOut !== null) deps.models.forgetAdapter(run.adapterOut);
  return freedBytes;
}

function roleOf(name: string): RunFileRole {
  // the trainer writes a neighbour first and renames it
  if (name.startsWith("checkpoint.gguf")) return "checkpoint";
  return name.startsWith("adapter.gguf") ? "copy" : "record";
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return []; // a run that never came to writing
  }
}
