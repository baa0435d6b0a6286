import type { LlamaModel, Token } from "node-llama-cpp";
import { AppError } from "../../../shared/errors.ts";
import type { ChatMessage, EncodedPair } from "../model-runner.ts";
import { closeThinking } from "./close-thinking.ts";
import { type ControlTokens, type Piece, readControlTokens } from "./special-tokens.ts";
import { renderTemplate, type TemplatePart, type TemplateTexts } from "./template-parts.ts";

/**
 * [Note: one renderer] The only place where messages become tokens, for training and for inference. Equal to Python
 * transformers' apply_chat_template with the model's own thinking switched off (close-thinking.ts), with one difference on
 * purpose: text of a message never becomes a control token.
 */
export type ChatTemplate = {
  /** Ends with the beginning of the model's own turn and the prefill. */
  encodePrompt(messages: ChatMessage[], prefill?: string): Token[];
  encodePair(messages: ChatMessage[], chosen: string, rejected: string): EncodedPair;
  endOfTurn: Token;
};

export function createChatTemplate(model: LlamaModel, given?: string): ChatTemplate {
  const texts = readTexts(model, given);
  const controlTokens = readControlTokens(model);
  const { endOfTurn, lead } = describeOwnTurn(model, texts, controlTokens);

  function encode(messages: ChatMessage[], ownText: string): Token[] {
    const parts = closeThinking(renderTemplate(texts, messages, { addGenerationPrompt: true }));
    const own: TemplatePart[] = ownText === "" ? [] : [{ kind: "content", text: lead + ownText }];
    return tokenizeParts(model, controlTokens, [...parts, ...own]);
  }

  return {
    endOfTurn,
    encodePrompt: (messages, prefill = "") => encode(messages, prefill),
    encodePair(messages, chosen, rejected) {
      const chosenIds = [...encode(messages, chosen), endOfTurn];
      const rejectedIds = [...encode(messages, rejected), endOfTurn];
      // Tokens may merge across the border of prompt and response, so the prompt is what all three begin with.
      const nPrompt = commonPrefixLength(encode(messages, ""), chosenIds, rejectedIds);
      return {
        prompt: chosenIds.slice(0, nPrompt),
        chosen: chosenIds.slice(nPrompt),
        rejected: rejectedIds.slice(nPrompt),
      };
    },
  };
}

function readTexts(model: LlamaModel, given: string | undefined): TemplateTexts {
  const template = given ?? model.fileInfo.metadata.tokenizer?.chat_template;
  if (!template)
    throw new AppError("MODEL_INCOMPATIBLE", `${model.filename ?? "The model"} has no chat template`, {
      hint: "Choose an instruction-tuned model, or give this one a template: `models add PATH --chat-template FILE`.",
    });
  return { template, bosToken: model.tokens.bosString ?? "", eosToken: model.tokens.eosString ?? "" };
}

type OwnTurn = {
  endOfTurn: Token;
  /** White space that the template puts before the assistant's words but not behind the generation prompt (Mistral). */
  lead: string;
};

/**
 * What the template does around the assistant's words. The end of turn is the control token that it writes behind
 * them, if the vocabulary counts that among the ends of generation. The GGUF's own eot entry is only the second
 * choice: in SmolLM2 it names <|endoftext|>.
 */
function describeOwnTurn(model: LlamaModel, texts: TemplateTexts, controlTokens: ControlTokens): OwnTurn {
  const question: ChatMessage = { role: "user", content: "Question" };
  const answer: ChatMessage = { role: "assistant", content: "Answer" };
  const whole = renderTemplate(texts, [question, answer], { addGenerationPrompt: false });
  const prompt = renderTemplate(texts, [question], { addGenerationPrompt: true });

  const tail = controlTokens.split(whole.at(-1)?.text ?? "").find((piece) => piece.kind === "control");
  const isEnd = tail?.kind === "control" && model.isEogToken(tail.token);
  const endOfTurn = isEnd ? tail.token : (model.tokens.eot ?? model.tokens.eos);
  if (endOfTurn === null) throw new AppError("MODEL_INCOMPATIBLE", "The model has no end-of-turn token");

  // parts alternate: control, content, control …, so the third stands between question and answer
  const between = whole[2]?.text ?? "";
  const generationPrompt = prompt.at(-1)?.text ?? "";
  const lead = between.startsWith(generationPrompt) ? between.slice(generationPrompt.length) : "";
  return { endOfTurn, lead: lead.trim() === "" ? lead : "" };
}

/** Neighbouring texts are joined before they are tokenised, so that words merge across them as in one whole text. */
function tokenizeParts(model: LlamaModel, controlTokens: ControlTokens, parts: TemplatePart[]): Token[] {
  const pieces = joinTexts(
    parts.flatMap((part): Piece[] =>
      part.kind === "control" ? controlTokens.split(part.text) : [{ kind: "text", text: part.text }],
    ),
  );
  return pieces.flatMap((piece, index) => {
    if (piece.kind === "control") return [piece.token];
    const before = pieces[index - 1];
    const after = pieces[index + 1];
    let { text } = piece;
    if (before?.kind === "control" && controlTokens.swallowsAfter(before.token)) text = text.trimStart();
    if (after?.kind === "control" && controlTokens.swallowsBefore(after.token)) text = text.trimEnd();
    return model.tokenize(text, false);
  });
}

function joinTexts(pieces: Piece[]): Piece[] {
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (piece.kind === "text" && last?.kind === "text")
      joined[joined.length - 1] = { kind: "text", text: last.text + piece.text };
    else joined.push(piece);
  }
  return joined;
}

function commonPrefixLength(...sequences: Token[][]): number {
  const shortest = Math.min(...sequences.map((sequence) => sequence.length));
  const first = sequences[0]!;
  for (let i = 0; i < shortest; i++) {
    if (sequences.some((sequence) => sequence[i] !== first[i])) return i;
  }
  return shortest;
}
