import { Environment, Interpreter, Template } from "@huggingface/jinja";
import { AppError } from "../../../shared/errors.ts";
import type { ChatMessage } from "../model-runner.ts";
import { THINKING_SWITCHES } from "./close-thinking.ts";

/** Text that the template wrote, or text that came from a message. Only the first may become control tokens. */
export type TemplatePart = { kind: "control" | "content"; text: string };

export type TemplateTexts = { template: string; bosToken: string; eosToken: string };

/**
 * Renders a chat template and tells for every stretch of the result whether the template or a message wrote it.
 *
 * The template is rendered twice: with the messages, and with a placeholder in place of each content. The second
 * rendering gives the control parts; the first must be these with contents between them. A template may shorten a
 * content (many trim it), so what stands between is accepted when the content holds it. A template that rewrites
 * contents in another way is refused, since nobody could then say which text is control.
 */
export function renderTemplate(
  texts: TemplateTexts,
  messages: ChatMessage[],
  options: { addGenerationPrompt: boolean },
): TemplatePart[] {
  const template = parseTemplate(texts.template);
  const real = render(template, texts, messages, options);
  const placeholders = messages.map((_, index) => `\uE000${index}\uE001`);
  const marked = messages.map((message, index) => ({ ...message, content: placeholders[index]! }));
  const { controls, order } = splitAtPlaceholders(render(template, texts, marked, options), placeholders);
  const contents = order.map((index) => messages[index]!.content);
  const found = align(real, controls, contents);
  if (!found) throw incompatible("it rewrites the text of a message");
  return interleave(controls, found);
}

function parseTemplate(source: string): Template {
  try {
    return new Template(source);
  } catch (cause) {
    throw incompatible(`it cannot be read (${(cause as Error).message})`, cause);
  }
}

function render(
  template: Template,
  texts: TemplateTexts,
  messages: ChatMessage[],
  options: { addGenerationPrompt: boolean },
): string {
  try {
    const environment = createEnvironment();
    environment.set("messages", messages);
    environment.set("add_generation_prompt", options.addGenerationPrompt);
    environment.set("bos_token", texts.bosToken);
    environment.set("eos_token", texts.eosToken);
    for (const name of THINKING_SWITCHES) environment.set(name, false);
    return String(new Interpreter(environment).run(template.parsed).value);
  } catch (cause) {
    throw incompatible((cause as Error).message, cause);
  }
}

/**
 * The names that chat templates may count on. Template.render would bring its own, with today's date in the machine's
 * language: the same question would have other tokens tomorrow. The date here is the one that Llama's own templates
 * fall back to.
 */
function createEnvironment(): Environment {
  const environment = new Environment();
  for (const name of ["true", "True"]) environment.set(name, true);
  for (const name of ["false", "False"]) environment.set(name, false);
  for (const name of ["none", "None"]) environment.set(name, null);
  environment.set("range", range);
  environment.set("strftime_now", formatFixedDate);
  environment.set("raise_exception", (reason: string) => {
    throw new Error(reason);
  });
  return environment;
}

const FIXED_DATE: Record<string, string> = {
  "%Y": "2024",
  "%m": "07",
  "%d": "26",
  "%b": "Jul",
  "%B": "July",
  "%A": "Friday",
  "%H": "00",
  "%M": "00",
  "%%": "%",
};

function formatFixedDate(format: string): string {
  return format.replaceAll(/%[a-zA-Z%]/g, (field) => FIXED_DATE[field] ?? field);
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  return Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_, index) => from + index * step);
}

function splitAtPlaceholders(text: string, placeholders: string[]): { controls: string[]; order: number[] } {
  const controls: string[] = [];
  const order: number[] = [];
  let start = 0;
  for (const match of text.matchAll(/\uE000(\d+)\uE001/g)) {
    controls.push(text.slice(start, match.index));
    order.push(Number(match[1]));
    start = match.index + match[0].length;
  }
  controls.push(text.slice(start));
  // each message once: a template that drops one would lose what it says without a word
  if (new Set(order).size !== order.length || order.length !== placeholders.length)
    throw incompatible("it leaves out or repeats a message");
  return { controls, order };
}

/** Finds x with text = c0 x0 c1 x1 … cn, each x being part of its content; the longest possible x first. */
function align(text: string, controls: string[], contents: string[], index = 0, start = 0): string[] | null {
  const control = controls[index]!;
  if (!text.startsWith(control, start)) return null;
  const from = start + control.length;
  if (index === contents.length) return from === text.length ? [] : null;
  const content = contents[index]!;
  const next = controls[index + 1]!;
  for (let length = Math.min(content.length, text.length - from); length >= 0; length--) {
    if (!text.startsWith(next, from + length)) continue;
    const candidate = text.slice(from, from + length);
    if (!content.includes(candidate)) continue;
    const rest = align(text, controls, contents, index + 1, from + length);
    if (rest) return [candidate, ...rest];
  }
  return null;
}

function interleave(controls: string[], contents: string[]): TemplatePart[] {
  return controls.flatMap((control, index): TemplatePart[] => {
    const content = contents[index];
    const part: TemplatePart = { kind: "control", text: control };
    return content === undefined ? [part] : [part, { kind: "content", text: content }];
  });
}

function incompatible(why: string, cause?: unknown): AppError {
  return new AppError("MODEL_INCOMPATIBLE", `The model's chat template cannot be used here: ${why}`, {
    hint: "Use an instruction-tuned model with a plain chat template; put instructions into the user's message.",
    cause,
  });
}
