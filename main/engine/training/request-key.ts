import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { TrainingRunInput } from "../../shared/contract/job-types.ts";
import { AppError } from "../../shared/errors.ts";
import { sha256OfFile } from "../lib/files.ts";
import { cardPathOf } from "../models/index.ts";
import { readCard } from "./adapter-card.ts";
import type { TrainingDeps } from "./deps.ts";

/**
 * [Note: one request, one training] What a training is known by: everything it was asked with, and the contents of what
 * it reads. The same command after Ctrl-C, after kill -9, or beside the running one finds the job that is there; with
 * other pairs, settings or another adapter to start from it is another request.
 */
export async function requestKey(deps: TrainingDeps, request: TrainingRunInput): Promise<string> {
  const content = await contentOf(deps, request);
  const adapterIn = request.adapterIn === null ? null : await sha256OfFile(request.adapterIn);
  return `training/${createHash("sha256").update(stableJson({ request, content, adapterIn })).digest("hex")}`;
}

/** Whether the adapter of a finished run is still the file that lies at its place. */
export async function isStillThere(adapterPath: string, runId: string): Promise<boolean> {
  if (!existsSync(adapterPath)) return false;
  try {
    const card = readCard(cardPathOf(adapterPath));
    return card?.runId === runId && card.sha256 === (await sha256OfFile(adapterPath));
  } catch {
    return false;
  }
}

async function contentOf(deps: TrainingDeps, { pairs }: TrainingRunInput): Promise<unknown> {
  if (pairs.from === "round") return null;
  if (pairs.from === "ledger") return deps.preference.allAccepted(pairs.stage ?? null).map(({ id }) => id);
  return await sha256OfFile(pairs.path).catch((cause: unknown) => {
    throw new AppError("NOT_FOUND", `The pairs file ${pairs.path} cannot be read`, {
      hint: "Give the path of a file, or `ledger`.",
      cause,
    });
  });
}

/** The order in which settings were given does not matter. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, entry: unknown) => {
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) return entry;
    return Object.fromEntries(Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
