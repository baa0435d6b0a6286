import type { Command } from "commander";
import type { ReflectionDetail } from "../../shared/contract/reflection.ts";
import { parseCount } from "../lib/arguments.ts";
import { print, printJson } from "../lib/output.ts";
import { type Session, withSession } from "../lib/session.ts";

type ReflectOptions = {
  model: string;
  adapter?: string;
  critic?: string;
  iterations: number;
  integrate?: boolean;
  retrieve?: boolean;
  promptSet?: string;
  seed?: number;
};

export function addReflectCommand(program: Command): void {
  program
    .command("reflect")
    .description("answer a question recursively: think, criticise, improve, answer")
    .argument("<question>")
    .requiredOption("--model <model>", "GGUF file, or name of a model")
    .option("--adapter <file>", "adapter laid over the model")
    .option("--critic <model>", "model of the critic (default: the base model without adapter)")
    .option("--iterations <n>", "number of revisions", parseCount, 3)
    .option("--integrate", "merge all answers into one at the end")
    .option("--retrieve", "give the model passages of the corpus")
    .option("--prompt-set <name>", "prompts: tiny or standard (default: by the size of each model)")
    .option("--seed <n>", "seed", parseCount)
    .action((question: string, options: ReflectOptions, command: Command) =>
      withSession(command, (session) => reflect(session, question, options)),
    );
}

async function reflect({ client, finish, asJson }: Session, question: string, options: ReflectOptions): Promise<void> {
  const { reflectionId, jobId } = await client.reflection.start({ question, ...options });
  await finish(jobId, "reflection.run");
  const detail = await client.reflection.get({ reflectionId });
  if (asJson) return printJson(detail);
  printReflection(detail);
}

function printReflection(detail: ReflectionDetail): void {
  for (const iteration of detail.iterations) {
    print(`── Iteration ${iteration.index} · ${iteration.tokens} tokens`);
    for (const point of iteration.critique) print(`critique: ${point.point}${point.actedOn ? " (acted on)" : ""}`);
    print(`thinking: ${iteration.thinking}`);
    print(`answer: ${iteration.answer}`);
    print();
  }
  print(detail.integrated ?? detail.final ?? "");
}
