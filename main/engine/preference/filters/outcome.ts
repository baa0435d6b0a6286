/** Why an attempt at a pair ended without an accepted pair. Counted in the ledger, shown on screen. */
export const filterReasons = {
  no_source: "No passage of the corpus has enough whole sentences",
  question_form: "The question is not one question",
  question_too_short: "The question names too little",
  question_refers_to_text: "The question points to a text or a figure",
  question_repeats_itself: "The question repeats itself",
  question_invented_facts: "The question has numbers or formulas that its passage has not",
  question_off_topic: "The question is not about its passage",
  question_copied_from_prompt: "The question holds words of the prompt's examples",
  question_duplicate: "The question is nearly one that was asked before",
  thinking_too_thin: "Too few statements passed their checks",
  answer_empty: "The answer is empty or has no whole sentence",
  answer_too_short: "The answer is too short",
  answer_refers_to_text: "The answer points to a text or a figure",
  answer_off_topic: "The answer is not about the question and the thinking",
  answer_ungrounded: "What the answer adds stands neither in the thinking nor in the sources",
  answer_invented_facts: "The answer has numbers or formulas that no source has",
  answer_repeats_question: "The answer says little that the question does not",
  answer_repeats_itself: "The answer repeats itself",
  answer_copies_context: "The answer is copied from the corpus",
  answer_not_english: "The answer is not English prose",
  chosen_malformed: "The chosen response's markers are not well formed",
  rejected_empty: "The policy's response is empty",
  rejected_repeats_itself: "The policy's response repeats itself",
  rejected_not_english: "The policy's response is not English prose",
  no_signal: "Chosen and rejected say the same",
  too_long: "The pair is longer than max_length",
} as const;

export type FilterReason = keyof typeof filterReasons;

/** A step's result, or the reason why there is none. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; reason: FilterReason };

export const found = <T>(value: T): Outcome<T> => ({ ok: true, value });
export const filtered = <T>(reason: FilterReason): Outcome<T> => ({ ok: false, reason });
