import { existsSync } from "node:fs";
import type { EngineHandlers } from "../shared/contract/index.ts";
import type { NetworkCallRow } from "../shared/contract/workspace.ts";
import type { EngineConfig } from "./config.ts";
import type { Db } from "./db/index.ts";

/** The state of the workspace as a whole, and its network ledger. */
export function createWorkspaceHandlers(deps: {
  db: Db;
  config: EngineConfig;
  isEmbedderPresent(): boolean;
  sampleCorpusAvailable: boolean;
}): EngineHandlers["workspace"] {
  const { db, config } = deps;
  const counts = db.prepare<[], Counts>(`
    SELECT
      (SELECT COUNT(*) FROM document) AS nDocuments,
      (SELECT COUNT(*) FROM chunk) AS nChunks,
      (SELECT COUNT(*) FROM model) AS nModels,
      (SELECT COUNT(*) FROM preference_pair WHERE status = 'accepted') AS nPairs,
      (SELECT COUNT(*) FROM reflection) AS nReflections`);
  const networkCalls = db.prepare<[], NetworkCallRow>(
    "SELECT host, purpose, bytes, status, at FROM network_call ORDER BY id DESC",
  );
  return {
    status: () => ({
      dir: config.workspaceDir,
      version: config.version,
      ...(counts.get() as Counts),
      isEmbedderPresent: deps.isEmbedderPresent(),
      isTrainerPresent: existsSync(config.compute.trainerPath),
      sampleCorpusAvailable: deps.sampleCorpusAvailable,
    }),
    networkCalls: () => networkCalls.all(),
  };
}

type Counts = { nDocuments: number; nChunks: number; nModels: number; nPairs: number; nReflections: number };
