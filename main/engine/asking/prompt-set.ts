import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import { type ChatMessage, type Sampler, SamplerSchema } from "../inference/index.ts";

const PromptSampler = SamplerSchema.omit({ seed: true });

const PromptTask = z.strictObject({
  /** {{name}} stands for a value given at the call. */
  messages: z.array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() })),
  prefill: z.string().optional(),
  sampler: PromptSampler,
  /** Overrides of the sampler for the second, third … try. */
  retries: z.array(PromptSampler.partial()).optional(),
  jsonSchema: z.record(z.string(), z.unknown()).optional(),
});
export type PromptTask = z.infer<typeof PromptTask>;

/**
 * Prompts are data: resources/prompts/<set>/<task>.yaml. `lines` sets ask for single lines that code selects and
 * checks (models below about 1B parameters); `grammar` sets ask for JSON by grammar.
 */
export type PromptSet = {
  name: string;
  style: "lines" | "grammar";
  /** SHA-256 over all files: two runs with the same hash asked the same. */
  hash: string;
  task(name: string): PromptTask;
};

export function loadPromptSet(promptsDir: string, name: string): PromptSet {
  const files = readFiles(join(promptsDir, name), name);
  const hash = createHash("sha256");
  const tasks = new Map<string, PromptTask>();
  let style: PromptSet["style"] = "lines";
  for (const { file, text } of files) {
    hash.update(file).update("\0").update(text).update("\0");
    if (file === "set.yaml") style = z.strictObject({ style: z.enum(["lines", "grammar"]) }).parse(parse(text)).style;
    else tasks.set(file.replace(/\.yaml$/, ""), PromptTask.parse(parse(text)));
  }
  return {
    name,
    style,
    hash: hash.digest("hex"),
    task(taskName) {
      const task = tasks.get(taskName);
      if (!task) throw new AppError("NOT_FOUND", `The prompt set ${name} has no task ${taskName}`);
      return task;
    },
  };
}

export type RenderedPrompt = {
  messages: ChatMessage[];
  prefill?: string;
  sampler: Sampler;
  jsonSchema?: Record<string, unknown>;
};

/** The request for try number `attempt` (from 0). A missing value is a bug and throws. */
export function renderPrompt(
  task: PromptTask,
  values: Record<string, string>,
  seed: number,
  attempt = 0,
): RenderedPrompt {
  const fill = (text: string) => text.replaceAll(/\{\{(\w+)\}\}/g, (_, key: string) => valueOf(values, key));
  const override = attempt === 0 ? {} : (task.retries?.[attempt - 1] ?? task.retries?.at(-1) ?? {});
  return {
    messages: task.messages.map(({ role, content }) => ({ role, content: fill(content).trim() })),
    ...(task.prefill === undefined ? {} : { prefill: fill(task.prefill) }),
    // zod types absent keys as undefined; the merged object carries none of them
    sampler: bounded({ ...task.sampler, ...override, seed } as Sampler),
    ...(task.jsonSchema ? { jsonSchema: task.jsonSchema } : {}),
  };
}

/**
 * Min-p alone has the whole vocabulary sorted for every token, half the time of a small model with 262k. What is not
 * among the first thousand cannot pass min-p either, unless even the likeliest token has less than 1 / (1000 min-p): 2 %
 * with 0.05. So the texts stay as they are, and as a part of the sampler the bound is recorded with each call.
 */
const MIN_P_TOP_K = 1000;

function bounded(sampler: Sampler): Sampler {
  return sampler.minP && sampler.topK === undefined ? { ...sampler, topK: MIN_P_TOP_K } : sampler;
}

function valueOf(values: Record<string, string>, key: string): string {
  const value = values[key];
  if (value === undefined) throw new Error(`the prompt needs a value for {{${key}}}`);
  return value;
}

function readFiles(dir: string, name: string): { file: string; text: string }[] {
  try {
    const files = readdirSync(dir).filter((file) => file.endsWith(".yaml"));
    return files.toSorted().map((file) => ({ file, text: readFileSync(join(dir, file), "utf8") }));
  } catch (cause) {
    throw new AppError("NOT_FOUND", `There is no prompt set ${name}`, {
      hint: `Choose one of: ${readdirSync(dirname(dir)).toSorted().join(", ")}.`,
      cause,
    });
  }
}
