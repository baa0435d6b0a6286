import type { LlamaModel, Token } from "node-llama-cpp";
import { escapeRegExp } from "../../lib/text.ts";

/** A part of a rendered prompt after the control tokens have been taken out of it. */
export type Piece = { kind: "control"; token: Token } | { kind: "text"; text: string };

export type ControlTokens = {
  /** Cuts a control part of a template at the control tokens of the vocabulary, as llama.cpp's special-token parsing does. */
  split(text: string): Piece[];
  /** Some vocabularies say that a control token swallows the white space beside it. */
  swallowsBefore(token: Token): boolean;
  swallowsAfter(token: Token): boolean;
};

/**
 * The control tokens of a vocabulary by their text. User-defined tokens are not among them: llama.cpp recognises
 * those in ordinary text too.
 */
export function readControlTokens(model: LlamaModel): ControlTokens {
  const byText = new Map<string, Token>();
  const before = new Set<Token>();
  const after = new Set<Token>();
  for (const token of model.iterateAllTokens()) {
    const attributes = model.getTokenAttributes(token);
    if (!attributes.control && !attributes.unknown) continue;
    const text = model.detokenize([token], true);
    if (text !== "") byText.set(text, token);
    if (attributes.lstrip) before.add(token);
    if (attributes.rstrip) after.add(token);
  }
  const longestFirst = [...byText.keys()].toSorted((a, b) => b.length - a.length).map(escapeRegExp);
  const pattern = longestFirst.length === 0 ? null : new RegExp(`(${longestFirst.join("|")})`);
  return {
    split(text) {
      const parts = pattern ? text.split(pattern) : [text];
      return parts
        .filter((part) => part !== "")
        .map((part): Piece => {
          const token = byText.get(part);
          return token === undefined ? { kind: "text", text: part } : { kind: "control", token };
        });
    },
    swallowsBefore: (token) => before.has(token),
    swallowsAfter: (token) => after.has(token),
  };
}
