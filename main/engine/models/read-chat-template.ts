import { open } from "node:fs/promises";
import { AppError } from "../../shared/errors.ts";

/** Real templates have some thousand characters. */
const MAX_BYTES = 1 << 20;

/** A chat template that the user gives, as text. Errors: NOT_FOUND, VALIDATION_FAILED. */
export async function readChatTemplate(path: string): Promise<string> {
  const file = await open(path).catch((cause: unknown) => {
    throw new AppError("NOT_FOUND", `The chat template ${path} cannot be read`, { cause });
  });
  try {
    const { size } = await file.stat();
    const text = size > MAX_BYTES ? "" : await file.readFile("utf8");
    if (!text.includes("messages"))
      throw new AppError("VALIDATION_FAILED", `${path} is no chat template: it does not speak of messages`, {
        hint: "Give the Jinja text that stands as chat_template in the tokenizer_config.json of the instruction-tuned model.",
      });
    return text;
  } finally {
    await file.close();
  }
}
