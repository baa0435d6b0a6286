import type { Iteration, ReflectionDetail, SourceSpan } from "../../shared/contract/reflection.ts";

const STOP_WORDS_FOR_PEOPLE = {
  n_reached: "the number of iterations asked for was reached",
  converged: "thinking and answer no longer changed",
  degraded: "the last answer was worse than the one before, which is therefore the final one",
} as const;

/** The whole reflection as one Markdown document, for a lab book. */
export function exportMarkdown(detail: ReflectionDetail): string {
  const final = detail.integrated ?? detail.final;
  const parts = [
    `# ${singleLine(detail.question)}`,
    facts(detail),
    ...(final === null
      ? []
      : [`## ${detail.integrated === null ? "Final answer" : "Integrated answer"}`, quote(final)]),
    ...detail.iterations.flatMap(iterationParts),
    ...(detail.sources.length === 0 ? [] : ["## Sources", detail.sources.map(sourceLine).join("\n")]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function facts(detail: ReflectionDetail): string {
  const lines = [
    `- Model: ${detail.model}${detail.adapter === null ? "" : ` with adapter ${detail.adapter}`}`,
    `- Critic: ${detail.critic ?? detail.model}`,
    `- Iterations: ${detail.nFinished} (0 is the first draft)`,
    ...(detail.stopReason === null
      ? [`- Status: ${detail.status}`]
      : [`- Stopped: ${STOP_WORDS_FOR_PEOPLE[detail.stopReason]}`]),
    ...(detail.settings.seed === undefined ? [] : [`- Seed: ${String(detail.settings.seed)}`]),
    `- Date: ${new Date(detail.createdAt).toISOString()}`,
  ];
  return lines.join("\n");
}

function iterationParts(iteration: Iteration): string[] {
  const { index, critique, thinking, reflection, answer, metrics, problems } = iteration;
  const measured = [
    `${iteration.tokens} tokens`,
    `${(iteration.tookMs / 1000).toFixed(1)} s`,
    ...(metrics.changedShare === null ? [] : [`${Math.round(metrics.changedShare * 100)} % of the sentences changed`]),
    ...(problems.length === 0 ? [] : [`problems: ${problems.join(", ")}`]),
  ];
  return [
    `## Iteration ${index}`,
    measured.join(" · "),
    ...(critique.length === 0 ? [] : ["### Critique", critique.map(pointLine).join("\n")]),
    `### ${index === 0 ? "Thinking" : "Improved thinking"}`,
    quote(thinking),
    ...(reflection === "" ? [] : ["### Reflection", quote(reflection)]),
    "### Answer",
    quote(answer),
  ];
}

function pointLine({ point, actedOn, changedSentences }: Iteration["critique"][number]): string {
  const where = changedSentences.map((index) => index + 1).join(", ");
  return `1. ${singleLine(point)} — ${actedOn ? `acted on in sentence ${where}` : "not acted on"}`;
}

function sourceLine({ title, page, text }: SourceSpan): string {
  return `1. ${singleLine(title)}, p. ${page}: ${singleLine(text)}`;
}

/** A block quote: headings and lists that a model wrote stay part of what it wrote. */
function quote(text: string): string {
  return text
    .split("\n")
    .map((line) => `> ${line}`.trimEnd())
    .join("\n");
}

function singleLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}
