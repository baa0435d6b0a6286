import { answerCopiedFromPrompt } from "./answer/copied-from-prompt.ts";
import { answerCopiesContext } from "./answer/copies-context.ts";
import { answerEmpty } from "./answer/empty.ts";
import { answerHoldsMarkers } from "./answer/holds-markers.ts";
import { answerInventedFacts } from "./answer/invented-facts.ts";
import { answerNotEnglish } from "./answer/not-english.ts";
import { answerOffTopic } from "./answer/off-topic.ts";
import { answerRefersToText } from "./answer/refers-to-text.ts";
import { answerRepeatsItself } from "./answer/repeats-itself.ts";
import { answerRepeatsQuestion } from "./answer/repeats-question.ts";
import { answerStutters } from "./answer/stutters.ts";
import { answerTooShort } from "./answer/too-short.ts";
import { answerUngrounded } from "./answer/ungrounded.ts";
import { noSignal } from "./pair/no-signal.ts";
import { tooLong } from "./pair/too-long.ts";
import { questionAboutAFigure } from "./question/about-a-figure.ts";
import { questionCopiedFromPrompt } from "./question/copied-from-prompt.ts";
import { questionDuplicate } from "./question/duplicate.ts";
import { questionForm } from "./question/form.ts";
import { questionInventedFacts } from "./question/invented-facts.ts";
import { questionOffTopic } from "./question/off-topic.ts";
import { questionRefersToText } from "./question/refers-to-text.ts";
import { questionRepeatsItself } from "./question/repeats-itself.ts";
import { questionRepeatsWords } from "./question/repeats-words.ts";
import { questionTooShort } from "./question/too-short.ts";
import { rejectedEcho } from "./rejected/echo.ts";
import { rejectedEmpty } from "./rejected/empty.ts";
import { rejectedNotEnglish } from "./rejected/not-english.ts";
import { rejectedRepeatsItself } from "./rejected/repeats-itself.ts";
import { rejectedUnclosed } from "./rejected/unclosed.ts";
import { thinkingTooThin } from "./thinking/too-thin.ts";
import type { Filter } from "./filter.ts";
import type {
  AnswerDraft,
  AskedBefore,
  PairLength,
  QuestionDraft,
  RejectedDraft,
  Signal,
  ThinkingDraft,
} from "./subjects.ts";

/** Every filter of the method (METHOD §3.9), by the step that it ends and in the order in which they are asked. */
type Registry = {
  question: Filter<QuestionDraft>[];
  askedBefore: Filter<AskedBefore>[];
  thinking: Filter<ThinkingDraft>[];
  answer: Filter<AnswerDraft>[];
  rejected: Filter<RejectedDraft>[];
  signal: Filter<Signal>[];
  length: Filter<PairLength>[];
};

export const filterRegistry: Registry = {
  question: [
    questionForm,
    questionTooShort,
    questionRefersToText,
    questionAboutAFigure,
    questionRepeatsItself,
    questionRepeatsWords,
    questionCopiedFromPrompt,
    questionInventedFacts,
    questionOffTopic,
  ],
  askedBefore: [questionDuplicate],
  thinking: [thinkingTooThin],
  answer: [
    answerEmpty,
    answerHoldsMarkers,
    answerTooShort,
    answerRefersToText,
    answerNotEnglish,
    answerRepeatsItself,
    answerRepeatsQuestion,
    answerStutters,
    answerInventedFacts,
    answerCopiedFromPrompt,
    answerOffTopic,
    answerUngrounded,
    answerCopiesContext,
  ],
  rejected: [rejectedUnclosed, rejectedEmpty, rejectedEcho, rejectedNotEnglish, rejectedRepeatsItself],
  signal: [noSignal],
  length: [tooLong],
};
