/**
 * @file Imports with the fake embedder in a process of its own and kills itself with SIGKILL when the database shows
 * what argv asks for: a query that gives a row once the moment has come. argv: workspace, query, paths.
 */
import { type CorpusBench, openCorpus } from "./corpus-bench.ts";
import { createFakeEmbedder } from "./fake-embedder.ts";

const [workspaceDir, query, ...paths] = process.argv.slice(2) as [string, string, ...string[]];
let bench: CorpusBench | undefined;
bench = openCorpus(workspaceDir, { embedder: createFakeEmbedder({ delayMs: 2 }), onChanged: killWhenDue });
setInterval(killWhenDue, 1);
await bench.importPaths(paths);
process.exit(0);

function killWhenDue(): void {
  if (bench?.db.prepare(query).get()) process.kill(process.pid, "SIGKILL");
}
