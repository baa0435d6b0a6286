import { join, resolve } from "node:path";

/**
 * Which workspace to open: the one asked for on the command line, then the environment's, then the last one, then the
 * default in the user's documents.
 */
export function chooseWorkspace(choice: {
  argv: readonly string[];
  cwd: string;
  env: NodeJS.ProcessEnv;
  remembered: string | undefined;
  documentsDir: string;
}): string {
  const asked = workspaceArgument(choice.argv) ?? choice.env["PREFLEXOR_WORKSPACE"];
  if (asked) return resolve(choice.cwd, asked);
  return choice.remembered ?? join(choice.documentsDir, "PRefLexOR Studio");
}

/** `--workspace DIR` or `--workspace=DIR`. Chromium moves its own switches about in argv, hence no positions. */
export function workspaceArgument(argv: readonly string[]): string | undefined {
  const index = argv.findIndex((argument) => argument === "--workspace" || argument.startsWith("--workspace="));
  const argument = argv[index];
  if (argument === undefined) return undefined;
  const value = argument.includes("=") ? argument.slice(argument.indexOf("=") + 1) : argv[index + 1];
  return value && !value.startsWith("--") ? value : undefined;
}
