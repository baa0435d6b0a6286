import { z } from "zod";
import { Keep } from "../../shared/contract/training.ts";
import { DEFAULT_MARKERS, MarkerSet } from "../../shared/markers.ts";
import { Filters } from "./filters.ts";
import { shapeOf } from "./lora.ts";
import { Section } from "./sections.ts";
import { StageRecipe } from "./stage.ts";

export const Recipe = z
  .strictObject({
    version: z.literal(2),
    name: z.string().min(1),
    description: z.string(),
    /** Absent: the teacher's size decides. */
    promptSet: z.string().min(1).optional(),
    /** Of the papers and of the pairs, as ISO 639 has it. Filters that hold for English only are off for any other. */
    language: z
      .string()
      .regex(/^[a-z]{2,3}$/, "a language is two or three small letters, such as en or de")
      .default("en"),
    markers: MarkerSet.default(DEFAULT_MARKERS),
    /** Models by name, id or absolute path. */
    roles: z.strictObject({ teacher: z.string().min(1), policy: z.string().min(1), critic: z.string().min(1) }),
    sections: z.array(Section).min(1),
    retrieval: z.strictObject({
      /** Chunks found for the question, and for the source chunk. */
      k: z.int().min(0).max(50),
      /** All context that the teacher sees, in the embedder's tokens. */
      tokenBudget: z.int().min(64),
      /** The source chunk is widened with its neighbours to this many of the embedder's tokens. */
      sourceTokens: z.int().min(64),
    }),
    filters: Filters.prefault({}),
    stages: z.array(StageRecipe).min(1),
    /** What stays on the disk when a round has been built upon (experiment/keep-files.ts). */
    keep: Keep.default("stages"),
    seed: z.int().min(0),
    /** A round ends when it has made this many attempts for each pair that it should accept. */
    maxAttemptsPerPair: z.int().min(1).max(100),
    /** It is trained on when at least this share of them was accepted, else passed over (experiment/yield.ts). */
    minPairsShare: z.number().min(0).max(1).default(0.5),
  })
  .superRefine(({ stages }, context) => {
    const issue = (message: string) => context.addIssue({ code: "custom", path: ["stages"], message });
    if (new Set(stages.map(({ lora }) => shapeOf(lora))).size > 1)
      issue("all stages train one adapter: lora r, alpha and targets must be the same");
    // adapters are files with the stage's name in theirs, and some disks take upper and lower case for the same
    const names = stages.map(({ name }) => name.toLowerCase());
    const twice = stages.find(({ name }, i) => names.indexOf(name.toLowerCase()) < i);
    if (twice) issue(`two stages are called ${twice.name}: each needs a name of its own`);
  });
export type Recipe = z.infer<typeof Recipe>;
