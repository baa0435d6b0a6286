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
export { loadPromptSet, type PromptSet, type PromptTask, type RenderedPrompt, renderPrompt } from "./prompt-set.ts";
export { repeatAfterCrash } from "./repeat-after-crash.ts";
export { createModelRunner } from "./runner.ts";
export { startNodeHost } from "./start-node-host.ts";
