import { contentWords } from "../../../lib/text.ts";
import { addedWords } from "../wording.ts";
import type { Filter } from "../filter.ts";
import type { RejectedDraft } from "../subjects.ts";

/** Of its different content words, this share at least must be the response's own. */
const MIN_OWN_SHARE = 0.2;

/** The question or the instruction over again is no answer: against it a model learns only not to repeat its prompt. */
export const rejectedEcho: Filter<RejectedDraft> = {
  reason: "rejected_echo",
  refuses: ({ answer, prompt }) => {
    const nWords = new Set(contentWords(answer)).size;
    return nWords > 0 && addedWords(answer, prompt).length / nWords < MIN_OWN_SHARE;
  },
};
