import { readFileSync, writeFileSync } from "node:fs";
import { TINY_MODEL_PATH } from "./test-engine.ts";

const CONTEXT_TOKENS = 8192;

/** Short enough for a model that says nothing. */
export const TINY_PAIR = {
  prompt: "How does pore size matter?",
  chosen: "Wider pores let ions move.",
  rejected: "Pores are holes.",
};

/**
 * The real GGUF of `TINY_MODEL` (one layer of random weights, a byte-level vocabulary of 520, a chat template) with room
 * for the texts of the parity check, which its own window of 512 is too short for. It can be trained in a second on
 * anything, and says nothing.
 */
export function makeTinyModel(path: string): string {
  const file = readFileSync(TINY_MODEL_PATH);
  const key = "llama.context_length";
  // behind the key stand its type, 4 for a 32-bit count, and the value
  const at = file.indexOf(key) + key.length;
  if (file.readUInt32LE(at) !== 4) throw new Error(`${key} of ${TINY_MODEL_PATH} is not a 32-bit count`);
  file.writeUInt32LE(CONTEXT_TOKENS, at + 4);
  writeFileSync(path, file);
  return path;
}
