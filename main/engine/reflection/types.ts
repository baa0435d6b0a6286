import type { SearchInput, SearchResult } from "../../shared/contract/corpus.ts";
import type { Iteration, SourceSpan } from "../../shared/contract/reflection.ts";
import type { JobId } from "../../shared/ids.ts";
import type { MarkerSet } from "../../shared/markers.ts";
import type { Db } from "../db/index.ts";
import type { Embedder } from "../embedding/index.ts";
import type { Emit } from "../lib/events.ts";
import type { ChatMessage, GenerateResult, ModelRunner, RunnerFacts, Sampler } from "../inference/index.ts";
import type { EnqueueRequest } from "../jobs/index.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import type { Reviser } from "./revision.ts";
import type { StopLimits } from "./stop-rules.ts";

/** What reflection is given by createEngine. */
export type ReflectionDeps = {
  db: Db;
  runner: ModelRunner;
  embedder: Embedder;
  corpus: { search(input: SearchInput, signal?: AbortSignal): SearchResult | Promise<SearchResult> };
  models: {
    resolveModel(ref: string): ResolvedModel | Promise<ResolvedModel>;
    resolveAdapter(ref: string): ResolvedAdapter | Promise<ResolvedAdapter>;
  };
  /** For critics whose prompt set asks for single lines. */
  reviseByLines: Reviser;
  promptsDir: string;
  clock: Clock;
  log: Logger;
  emit: Emit;
  enqueue(request: EnqueueRequest): JobId;
};

type ResolvedModel = UsedFile & { facts: { nParameters: number | null }; markers: MarkerSet | null };
/** No hash: a file that nobody has registered. No markers: it is not known what it was trained with. */
type ResolvedAdapter = { name: string; path: string; sha256: string | null; markers: MarkerSet | null };

/** A file as it was when the reflection began. */
export type UsedFile = { name: string; path: string; sha256: string };
/** Who speaks: a model, what lies over it, and the prompts that suit its size. */
export type Voice = { model: UsedFile; adapter: UsedFile | null; promptSet: string };
export type Role = "policy" | "critic";

/** The whole reflection as decided at its start; stored, so that a resumed job does the same. */
export type ReflectionPlan = {
  question: string;
  policy: Voice;
  critic: Voice;
  nIterations: number;
  integrate: boolean;
  retrieve: boolean;
  seed: number;
  markers: MarkerSet;
  stopLimits: StopLimits;
};

/** Where it ran: fixed when the job first starts. */
export type ReflectionSettings = ReflectionPlan & {
  runner?: RunnerFacts;
  promptHashes?: Record<Role, string>;
  integrationCalls?: Call[];
};

/** One generation with all that a replay needs. */
export type Call = {
  role: Role;
  task: string;
  attempt: number;
  messages: ChatMessage[];
  prefill: string | null;
  sampler: Sampler;
  jsonSchema: Record<string, unknown> | null;
  text: string;
  /** Why this try was not used; null when it was. */
  rejectedBecause: string | null;
} & Pick<GenerateResult, "nPromptTokens" | "nTokens" | "stopReason" | "tookMs">;

/** An iteration and the calls that made it: what one transaction stores. */
export type IterationRecord = { iteration: Iteration; calls: Call[] };

/** What every step of an iteration can see. */
export type Situation = {
  plan: ReflectionPlan;
  /** Passages of the corpus on the question; empty without retrieval. */
  sources: SourceSpan[];
  /** All iterations before this one, in order. */
  earlier: Iteration[];
};

/** What a revision knows it did for a point: it put this statement there, or took out what the point names. */
export type PointOutcome = { kind: "statement"; statement: string } | { kind: "removal" };

/**
 * The critic's points on the last thinking, and the thinking that acts on them. No points: nothing left to say.
 * `outcomes` stand beside the points where the thinking was revised point by point; a whole rewrite does not know them.
 */
export type Revision = { points: string[]; thinking: string; problems: string[]; outcomes?: PointOutcome[] };
