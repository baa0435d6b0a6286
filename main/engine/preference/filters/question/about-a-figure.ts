import type { Filter } from "../filter.ts";
import type { QuestionDraft } from "../subjects.ts";

export const questionAboutAFigure: Filter<QuestionDraft> = {
  reason: "question_refers_to_text",
  assumes: "english",
  refuses: ({ question }) => FIGURE.test(question),
};

const FIGURE =
  /\b(?:curves?|diagrams?|plots?|images?|panels?|histograms?|micrographs?|graphs?|(?:dotted|dashed|solid|red|blue|green|black) (?:lines?|symbols?|dots?))\b/i;
