import { resolve } from "node:path";
import type { Command } from "commander";
import { ensureTrainerBuilt } from "../../../native-trainer/build.ts";
import { clearDemo, runDemo } from "../demo/demo.ts";
import { formatDuration, note, print, printJson } from "../lib/output.ts";
import { parityVerdict } from "../lib/parity-words.ts";
import { isCheckout } from "../lib/paths.ts";
import { type GlobalOptions, type Session, withSession } from "../lib/session.ts";

const DEMO_WORKSPACE = "demo-workspace";

export function addDemoCommand(program: Command): void {
  program
    .command("demo")
    .description("the whole chain on the sample papers with a very small model, and a report.html of it")
    .option("--fresh", "start over instead of going on with an earlier demo")
    .action(async (options: { fresh?: boolean }, command: Command) => {
      const global = command.optsWithGlobals<GlobalOptions>();
      const workspaceDir = resolve(global.workspace ?? DEMO_WORKSPACE);
      if (options.fresh) await clearDemo(workspaceDir);
      if (isCheckout()) await ensureTrainerBuilt({ log: (line) => note(`  ${line}`) });
      const showDemo = async (session: Session) => {
        const output = await runDemo(session);
        if (session.asJson) return printJson(output);
        print();
        print(`Done in ${formatDuration(output.tookMs)}.`);
        print(`  ${output.nDocuments} papers, ${output.nPairs} preference pairs, 4 training runs`);
        print(
          `  training loss ${output.lossFell ? "fell in every run" : "did NOT fall in every run"}; EXO margin ${output.exoMargin.toFixed(4)}`,
        );
        print(`  adapter  ${output.adapter} (parity ${parityVerdict(output.parity)})`);
        print(`  report   ${output.report}`);
        print("Open the window with: npm start   (or npm run serve, and a browser)");
      };
      await withSession(command, showDemo, workspaceDir);
    });
}
