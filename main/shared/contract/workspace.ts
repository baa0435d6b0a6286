import { z } from "zod";
import { query } from "./define.ts";

export const WorkspaceStatus = z.object({
  dir: z.string(),
  version: z.string(),
  nDocuments: z.int(),
  nChunks: z.int(),
  nModels: z.int(),
  nPairs: z.int(),
  nReflections: z.int(),
  isEmbedderPresent: z.boolean(),
  isTrainerPresent: z.boolean(),
  sampleCorpusAvailable: z.boolean(),
});
export type WorkspaceStatus = z.infer<typeof WorkspaceStatus>;

export const NetworkCallRow = z.object({
  host: z.string(),
  purpose: z.string(),
  bytes: z.int(),
  status: z.string(),
  at: z.int(),
});
export type NetworkCallRow = z.infer<typeof NetworkCallRow>;

export const workspace = {
  status: query({ input: z.strictObject({}), output: WorkspaceStatus }),
  /** The network ledger: every call that the program made; normally empty. */
  networkCalls: query({ input: z.strictObject({}), output: z.array(NetworkCallRow) }),
};
