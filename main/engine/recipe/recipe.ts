import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { Stage } from "../../shared/contract/preference.ts";
import { AppError } from "../../shared/errors.ts";
import { DEFAULT_MARKERS, MarkerSet } from "../../shared/markers.ts";

const Share = z.number().min(0).max(1);

/** One named part of the structured thinking. */
const Section = z.strictObject({
  name: z.string().min(1),
  /** What belongs into it, in one sentence for the teacher. */
  guide: z.string().min(1),
  /**
   * How a `lines` prompt set fills it: `steps` are sentences of the sources, rewritten; `concepts` are terms found by
   * code; `line` asks the prompt set's task of that name for one line. A `grammar` set fills all sections in one call.
   */
  kind: z.enum(["steps", "concepts", "line"]),
  task: z.string().optional(),
  maxStatements: z.int().min(1).max(12),
  /** Fewer statements than this and the pair is filtered; 0 leaves the section out when nothing passes its checks. */
  minStatements: z.int().min(0),
});
export type Section = z.infer<typeof Section>;

const Filters = z.strictObject({
  /** Whole, self-contained sentences that a source chunk must have. */
  minSourceSentences: z.int().min(1).default(3),
  /** Sentences among them that name a cause, an effect or a purpose. */
  minExplainingSentences: z.int().min(0).default(0),
  /** Cosine to an earlier question above which a question counts as the same. */
  maxQuestionSimilarity: Share.default(0.9),
  /** Share of the question's content words that its passage must have. */
  minQuestionOverlap: Share.default(0.6),
  /** Share of a rewritten sentence's content words that the sentence must have. */
  minStepOverlap: Share.default(0.75),
  /** Share of a completed line's content words that steps and question must have. */
  minLineOverlap: Share.default(0.6),
  /** Share of the answer's content words that question, thinking or sources must have. */
  minAnswerOverlap: Share.default(0.5),
  /** Share of the content words that the answer adds to the question that thinking or sources must have. */
  minAnswerGrounding: Share.default(0.3),
  minAnswerWords: z.int().min(1).default(8),
  /** Different content words of the answer that the question does not have. */
  minNewAnswerWords: z.int().min(0).default(4),
  /** Longest run of words that an answer may share with the corpus. */
  maxCopiedWords: z.int().min(4).default(30),
  /** Share of repeated 4-grams in the answer. */
  maxRepetition: Share.default(0.1),
  /** The same in the rejected response, which may be worse but must not be a loop. */
  maxRejectedRepetition: Share.default(0.3),
  /** Cosine above which chosen and rejected say the same, and a pair carries no signal. */
  maxPairSimilarity: Share.default(0.97),
});
export type Filters = z.infer<typeof Filters>;

/** Which response tokens carry loss. `thinking_fraction` leaves a seeded share of the thinking tokens out. */
export const Mask = z.union([z.enum(["none", "answer_only"]), z.strictObject({ thinking_fraction: Share })]);
export type Mask = z.infer<typeof Mask>;

const LoraTarget = z.enum(["q", "k", "v", "o", "gate", "up", "down"]);
const Lora = z.strictObject({
  r: z.int().min(1).max(1024),
  alpha: z.number().positive(),
  dropout: z.number().min(0).max(0.9),
  targets: z.array(LoraTarget).min(1),
});

/** Keys of the trainer's own config carry the trainer's names. */
const StageRecipe = z
  .strictObject({
    stage: Stage,
    rounds: z.int().min(1).max(1000),
    pairsPerRound: z.int().min(1).max(100_000),
    epochs: z.int().min(1).max(100),
    beta: z.number().positive(),
    label_smoothing: z.number().min(0).max(0.5).default(0),
    learning_rate: z.number().positive(),
    schedule: z.enum(["constant", "linear", "cosine"]).default("constant"),
    warmup_steps: z.int().min(0).default(0),
    max_grad_norm: z.number().positive(),
    gradient_accumulation_steps: z.int().min(1),
    max_length: z.int().min(64),
    lora: Lora,
    mask: Mask,
  })
  .refine((stage) => stage.stage !== "exo" || stage.label_smoothing > 0, {
    path: ["label_smoothing"],
    message: "EXO needs a label_smoothing above 0",
  });
export type StageRecipe = z.infer<typeof StageRecipe>;

export const Recipe = z
  .strictObject({
    version: z.literal(1),
    name: z.string().min(1),
    description: z.string(),
    promptSet: z.string().min(1),
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
    seed: z.int().min(0),
    /** A round fails when it has made this many attempts for each pair that it should accept. */
    maxAttemptsPerPair: z.int().min(1).max(100),
  })
  .superRefine((recipe, context) => {
    const shapes = new Set(
      recipe.stages.map(({ lora }) => JSON.stringify([lora.r, lora.alpha, lora.targets.toSorted()])),
    );
    if (shapes.size > 1) {
      context.addIssue({
        code: "custom",
        path: ["stages"],
        message: "all stages train one adapter: lora r, alpha and targets must be the same",
      });
    }
    for (const [i, section] of recipe.sections.entries()) {
      const isWrong = section.kind === "line" ? section.task === undefined : section.task !== undefined;
      if (isWrong)
        context.addIssue({
          code: "custom",
          path: ["sections", i, "task"],
          message: "a task goes with the kind line, and only with it",
        });
    }
  });
export type Recipe = z.infer<typeof Recipe>;

/** A recipe by the name of one that comes with the program, or by the path of a YAML file. */
export function loadRecipe(pathOrName: string, recipesDir: string): Recipe {
  const isName = /^[\w-]+$/.test(pathOrName);
  const path = isName ? join(recipesDir, `${pathOrName}.yaml`) : resolve(pathOrName);
  return parseRecipe(readRecipe(path, pathOrName, recipesDir), path);
}

export function parseRecipe(text: string, path: string): Recipe {
  const document = parseDocument(text);
  const [syntaxError] = document.errors;
  if (syntaxError) throw invalid(path, syntaxError.message, syntaxError);
  const parsed = Recipe.safeParse(document.toJS());
  if (!parsed.success) throw invalid(path, z.prettifyError(parsed.error), parsed.error);
  return parsed.data;
}

function readRecipe(path: string, pathOrName: string, recipesDir: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const names = readdirSync(recipesDir)
      .filter((file) => file.endsWith(".yaml"))
      .map((file) => file.slice(0, -5));
    throw new AppError("NOT_FOUND", `There is no recipe ${pathOrName}`, {
      hint: `Give the path of a YAML file, or one of the recipes that come with the program: ${names.join(", ")}.`,
      cause,
    });
  }
}

function invalid(path: string, problems: string, cause: unknown): AppError {
  return new AppError("VALIDATION_FAILED", `The recipe ${path} is not valid: ${problems}`, {
    hint: "Put the named lines right. The recipes that come with the program show every key.",
    cause,
  });
}
