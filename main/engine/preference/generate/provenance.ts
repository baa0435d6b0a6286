import type { PairProvenance } from "../../../shared/contract/preference.ts";
import type { EmbeddingSpace } from "../../embedding/index.ts";
import type { PromptSet } from "../../asking/index.ts";
import type { RunnerFacts } from "../../inference/index.ts";
import { seedOf } from "../../lib/random.ts";
import type { Call, Place } from "../../asking/index.ts";
import type { PairWriter } from "./pair-writer.ts";

/** A file as it was when the pair was made. */
export type UsedFile = { name: string; path: string; sha256: string };

/**
 * [Note: exact replay] A pair can be made again to the same text: every seed follows from experiment, recipe seed,
 * stage, round, ordinal, task and attempt; prompts follow from the prompt set of this hash and the ledger before the
 * pair; and the sampled tokens from model, adapter and library, on the same processor. On another one
 * llama.cpp takes the CPU library of that generation of instruction sets (the library's version names them), which
 * rounds otherwise: one token in some dozens differs, and then the text. The event "calls" keeps each call's sampler,
 * the hash of its prompt and its text, so that a replay can be compared call by call.
 */
export type Provenance = PairProvenance & {
  teacherSha256: string;
  policySha256: string;
  policyAdapterSha256: string | null;
  embedder: { model: string; sha256: string };
};

export function provenanceOf(input: {
  place: Place;
  teacher: UsedFile;
  policy: UsedFile;
  policyAdapter: UsedFile | null;
  promptSet: PromptSet;
  writer: PairWriter;
  space: EmbeddingSpace;
  facts: RunnerFacts;
  calls: Call[];
  tookMs: Record<string, number>;
}): Provenance {
  const { place, teacher, policy, policyAdapter, promptSet, facts } = input;
  return {
    seed: seedOf(place.experimentId, place.seed, place.stage, place.round, place.ordinal),
    experimentId: place.experimentId,
    teacher: teacher.name,
    teacherSha256: teacher.sha256,
    policy: policy.name,
    policySha256: policy.sha256,
    policyAdapter: policyAdapter?.path ?? null,
    policyAdapterSha256: policyAdapter?.sha256 ?? null,
    embedder: { model: input.space.model, sha256: input.space.sha256 },
    promptSet: promptSet.name,
    promptHash: promptSet.hash,
    writer: input.writer.name,
    // the last try of each task is the one that was used
    sampler: Object.fromEntries(input.calls.map((call) => [callName(call), call.sampler])),
    threads: facts.threads,
    libraryVersion: facts.libraryVersion,
    tookMs: input.tookMs,
  };
}

function callName({ task, part }: Call): string {
  return part === "" ? task : `${task} ${part}`;
}
