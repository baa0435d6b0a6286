/**
 * The pipeline (METHOD §1): stage by stage and round by round, pairs from the policy as it then is, then training on them.
 * It stands above preference and training and is the only place that knows both.
 */
export { createExperiment } from "./create-experiment.ts";
export { shortfallInWords } from "./yield.ts";
