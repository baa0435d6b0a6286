import type { MarkerSet } from "../../shared/markers.ts";
import { parseResponse } from "../../shared/response-format.ts";
import { cutAtSentenceEnd } from "../lib/text.ts";
import type { Asker } from "./asker.ts";
import { withPassages } from "./sources.ts";
import type { Situation } from "./types.ts";

/** What the policy wrote, taken apart; `problems` says what was wrong with its form. */
export type Response = { thinking: string; reflection: string; answer: string; problems: string[] };

/** Iteration 0: the policy thinks for itself, then answers from what it thought. */
export async function draftResponse(ask: Asker, { plan, sources }: Situation): Promise<Response> {
  const { markers, question } = plan;
  const values = { ...markers, prompt: withPassages(question, sources) };
  const written = await ask.write("policy", "continue-thinking", values, "thinking", [markers.thinkingClose]);
  const isClosed = written.stopReason === "stop_text";
  // a task may pre-fill the first heading after the marker
  const heading = written.prefill.replace(markers.thinkingOpen, "").trim();
  const thinking = `${heading}\n${isClosed ? written.text.trim() : cutAtStatementEnd(written.text)}`.trim();
  const response = await answerFrom(ask, thinking, { plan, sources });
  return isClosed ? response : { ...response, problems: ["thinking_unclosed", ...response.problems] };
}

/** The policy goes on from the question with this thinking as its own, closed between its markers. */
export async function answerFrom(
  ask: Asker,
  thinking: string,
  { plan, sources }: Pick<Situation, "plan" | "sources">,
): Promise<Response> {
  const { markers, question } = plan;
  const values = { ...markers, prompt: withPassages(question, sources), thinking };
  const written = await ask.write("policy", "continue-answer", values, "answer");
  const text = written.stopReason === "max_tokens" ? cutAtSentenceEnd(written.text) || written.text : written.text;
  const { reflection, answer, problems } = parseResponse(thinkingBlock(thinking, markers) + text, markers);
  const cutOff = written.stopReason === "max_tokens" ? ["answer_cut_off"] : [];
  // the thinking is the one given: whatever the policy adds to it after the markers is a problem of form
  return { thinking, reflection, answer, problems: [...problems.map(String), ...cutOff] };
}

function thinkingBlock(thinking: string, markers: MarkerSet): string {
  return `${markers.thinkingOpen}\n${thinking}\n${markers.thinkingClose}\n`;
}

/** Without the statement that the token limit cut in two, as long as something stays. */
function cutAtStatementEnd(text: string): string {
  return cutAtSentenceEnd(text) || text.trim();
}
