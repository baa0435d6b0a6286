/**
 * Models at work, in a process of their own (METHOD §§3 and 5): generation, log-probs and tokens by node-llama-cpp, and the one
 * renderer of chat templates that training and inference share. `host` is the other side of the process boundary.
 */
export type { HostProcess, StartHost } from "./host-process.ts";
export { createModelHost, type ModelHost, type ModelHostClient } from "./model-host.ts";
export type {
  ChatMessage,
  EncodedPair,
  GenerateRequest,
  GenerateResult,
  ModelBinding,
  ModelRunner,
  RunnerFacts,
  Sampler,
} from "./model-runner.ts";
export { type Gpu, SamplerSchema } from "./host/contract.ts";
export { repeatAfterCrash } from "./repeat-after-crash.ts";
export { createModelRunner } from "./runner.ts";
export { startNodeHost } from "./start-node-host.ts";
