/**
 * How any role is asked (METHOD §§3 and 5): prompts as data, seeds that follow from the place of the question, retries,
 * and the record of every call.
 */
export { type Answer, type Ask, type AskOptions, type Call, createAsk, nTries, type Place, type Role } from "./ask.ts";
export { isSmallModel, promptSetFor } from "./prompt-choice.ts";
export { loadPromptSet, type PromptSet, type PromptTask, type RenderedPrompt, renderPrompt } from "./prompt-set.ts";
