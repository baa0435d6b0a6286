import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { ParityReport } from "../../shared/contract/model.ts";
import { AppError } from "../../shared/errors.ts";
import { formatBytes } from "../../shared/format-bytes.ts";
import { LossName, stageTitle } from "../../shared/loss.ts";
import { judgeTraining, type TrainingVerdict, VERDICT_NAMES } from "../../shared/training-verdict.ts";
import { shortfallInWords } from "../../engine/experiment/index.ts";
import { collectSetting } from "../lib/arguments.ts";
import { noteDevice } from "../lib/device.ts";
import { note, print, printJson } from "../lib/output.ts";
import { parityVerdict } from "../lib/parity-words.ts";
import { type Session, withSession } from "../lib/session.ts";

type TrainOptions = {
  stage?: string;
  loss?: LossName;
  model: string;
  pairs: string;
  adapter?: string;
  out: string;
  set: Record<string, string>;
};

type RunOptions = { resume?: boolean; policy?: string; teacher?: string; critic?: string };

export function addTrainingCommands(program: Command): void {
  program
    .command("train")
    .description("train a LoRA adapter on preference pairs")
    .option(
      "--stage <name>",
      "pairs of this stage of the ledger, by its name or its loss's; also the loss, without --loss",
    )
    .addOption(new Option("--loss <loss>", "the loss to train with").choices(LossName.options))
    .requiredOption("--model <model>", "GGUF file, or name of a model")
    .requiredOption("--pairs <file>", "pairs file, or `ledger`")
    .requiredOption("--out <file>", "the adapter to write")
    .option("--adapter <file>", "adapter to start from")
    .option("--set <key=value>", "a setting of the trainer (repeatable)", collectSetting, {})
    .action((options: TrainOptions, command: Command) => withSession(command, (session) => train(session, options)));
  program
    .command("run")
    .description("run a whole recipe: pairs and training by stage and round, then the parity report")
    .argument("<recipe>", "recipe file, or name of one that comes with the program")
    .option("--resume", "go on with the newest unfinished run of this recipe")
    .option("--policy <model>", "the model to train, in place of the recipe's")
    .option("--teacher <model>", "the model that writes questions, thinking and answers, in place of the recipe's")
    .option("--critic <model>", "the model that judges, in place of the recipe's")
    .action((recipe: string, options: RunOptions, command: Command) =>
      withSession(command, (session) => runRecipe(session, recipe, options)),
    );
}

async function train(session: Session, options: TrainOptions): Promise<void> {
  const { client, on, finish, asJson } = session;
  await noteDevice(session);
  const stop = on("training.step", ({ step }) => {
    if (asJson) printJson({ event: "step", step: step.step, epoch: step.epoch, loss: step.loss, ...step.metrics });
  });
  const stopWarnings = on("training.warning", ({ message }) => {
    if (asJson) printJson({ event: "warning", message });
    else note(message);
  });
  try {
    const out = resolve(options.out);
    const pairs = options.pairs === "ledger" ? "ledger" : resolve(options.pairs);
    const { jobId } = await client.training.start({ ...options, out, pairs });
    const output = await finish(jobId, "training.run");
    refuseWithoutParity(output);
    const verdict = judgeTraining(await client.training.getRun({ runId: output.runId }));
    if (asJson) return printJson({ event: "done", ...output, verdict });
    print(
      `Adapter ${output.adapterPath}: ${output.nSteps} steps, loss ${output.firstLoss.toFixed(4)} → ${output.lastLoss.toFixed(4)}, parity ${parityVerdict(output.parity)}.`,
    );
    print(verdictInWords(verdict));
  } finally {
    stop();
    stopWarnings();
  }
}

async function runRecipe(session: Session, recipe: string, options: RunOptions): Promise<void> {
  const { client, on, finish, asJson } = session;
  await noteDevice(session);
  // stdout carries the one result of a run; its rounds hold what was warned of
  const stopWarnings = on("training.warning", ({ message }) => note(message));
  const { jobId, notes, disk } = await startRecipe(client, recipe, options);
  for (const line of notes) note(line);
  if (disk) note(describeDisk(disk));
  const output = await finish(jobId, "experiment.run").finally(stopWarnings);
  refuseWithoutParity(output);
  if (asJson) return printJson(output);
  for (const round of output.rounds) {
    const shortfall = shortfallInWords(round);
    if (shortfall) print(`${shortfall}.`);
    if (!round.run) continue;
    const verdict = judgeTraining(await client.training.getRun({ runId: round.run.runId }));
    print(`${stageTitle(round)} round ${round.round + 1}: ${verdictInWords(verdict)}`);
  }
  print(`${output.rounds.length} rounds; adapter ${output.adapterPath}, parity ${parityVerdict(output.parity)}.`);
}

function startRecipe(client: Session["client"], recipe: string, { resume, ...roles }: RunOptions) {
  if (resume !== true) {
    // a model is a name or a file
    const models = Object.entries(roles).map(([role, model]) => [role, existsSync(model) ? resolve(model) : model]);
    return client.training.runRecipe({ recipe, roles: Object.fromEntries(models) as typeof roles });
  }
  const [role] = Object.keys(roles);
  if (role === undefined) return client.training.resumeRecipe({ recipe });
  throw new AppError("VALIDATION_FAILED", `--${role} cannot be given with --resume`, {
    hint: "A run goes on with the models that it began with. Without --resume a new run begins.",
  });
}

function describeDisk(disk: { runningBytes: number; keptBytes: number; freeBytes: number }): string {
  const { runningBytes, keptBytes, freeBytes } = disk;
  return `The run takes up to ${formatBytes(runningBytes)} of the disk while it goes on and keeps ${formatBytes(keptBytes)}; ${formatBytes(freeBytes)} are free.`;
}

function verdictInWords({ outcome, sentences }: TrainingVerdict): string {
  return [`${VERDICT_NAMES[outcome]}.`, ...sentences].join(" ");
}

/** An adapter that llama.cpp reads otherwise than it was trained is no result; one that did too little to tell is one. */
function refuseWithoutParity({ adapterPath, parity }: { adapterPath: string; parity: ParityReport["verdict"] }): void {
  const hint = "`preflexor adapter verify` shows the report with the reasons.";
  if (parity === "failed")
    throw new AppError(
      "PARITY_FAILED",
      `The adapter ${adapterPath} was written, but it did not pass the parity check`,
      {
        hint,
      },
    );
  if (parity === "not_provable")
    note(
      `The adapter changes so little that rounding hides whether llama.cpp shows all of it: parity is not provable. ${hint}`,
    );
}
