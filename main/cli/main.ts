import { Command, CommanderError } from "commander";
import { AppError, exitCodeOf, serializeError } from "../shared/errors.ts";
import { addAdapterCommands } from "./commands/adapter.ts";
import { addCorpusCommands } from "./commands/corpus.ts";
import { addDemoCommand } from "./commands/demo.ts";
import { addDoctorCommand } from "./commands/doctor.ts";
import { addGraphCommands } from "./commands/graph.ts";
import { addJobsCommand } from "./commands/jobs.ts";
import { addModelCommands } from "./commands/models.ts";
import { addPairCommands } from "./commands/pairs.ts";
import { addReflectCommand } from "./commands/reflect.ts";
import { addRunsCommands } from "./commands/runs.ts";
import { addServeCommand } from "./commands/serve.ts";
import { addTrainingCommands } from "./commands/training.ts";
import { printError, printJson } from "./lib/output.ts";
import { programVersion } from "./lib/paths.ts";

/** Builds the command line and runs it. Exit codes: DESIGN's table, see exitCodeOf. */
export async function main(argv: string[]): Promise<void> {
  const program = new Command("preflexor")
    .description("Turn a lab's own papers into a small reasoning model, offline.")
    .version(programVersion())
    .option("--workspace <dir>", "folder of the workspace (default: $PREFLEXOR_WORKSPACE, else ./workspace)")
    .option("--device <name>", "what to compute on, for example cpu, cuda0 or vulkan0 (default: the best there is)")
    .option("--json", "print exactly one JSON document on stdout")
    .showHelpAfterError("(add --help for the list of commands)")
    .exitOverride();
  addCorpusCommands(program);
  addModelCommands(program);
  addPairCommands(program);
  addTrainingCommands(program);
  addRunsCommands(program);
  addAdapterCommands(program);
  addReflectCommand(program);
  addGraphCommands(program);
  addJobsCommand(program);
  addDoctorCommand(program);
  addServeCommand(program);
  addDemoCommand(program);
  // a reader that closes the pipe early (head, less) ends the command quietly
  process.stdout.on("error", () => process.exit(0));
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error, argv.includes("--json"));
  }
}

function report(error: unknown, asJson: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // commander has already written its message to stderr for people
    if (asJson) printJson({ error: { code: "VALIDATION_FAILED", message: error.message.replace(/^error: /, "") } });
    return 2;
  }
  const serialized = serializeError(error);
  if (asJson) printJson({ error: serialized });
  else printError(serialized, error instanceof AppError ? undefined : error);
  return exitCodeOf(serialized.code);
}
