import type { PairRow } from "../../shared/contract/preference.ts";
import type { JobId } from "../../shared/ids.ts";
import type { Db } from "../db/index.ts";
import type { Embedder } from "../embedding/index.ts";
import type { Emit } from "../lib/events.ts";
import type { ModelRunner } from "../inference/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { PairCorpus } from "./generate/corpus-access.ts";
import type { PairWriter } from "./generate/pair-writer.ts";
import type { UsedFile } from "./generate/provenance.ts";

export type ResolvedModel = UsedFile & { facts: { nParameters: number | null } };

/** What preference is given by createEngine. */
export type PreferenceDeps = {
  db: Db;
  runner: ModelRunner;
  embedder: Embedder;
  corpus: PairCorpus;
  models: { resolveModel(ref: string): ResolvedModel | Promise<ResolvedModel> };
  /** For teachers whose prompt set asks for single lines. */
  linesWriter: PairWriter;
  promptsDir: string;
  recipesDir: string;
  clock: Clock;
  emit: Emit;
  enqueue(request: EnqueueRequest): JobId;
  /** Called with every accepted pair, possibly again after a crash: it must be idempotent. */
  onPair(pair: PairRow, signal: AbortSignal): Promise<void> | void;
};
