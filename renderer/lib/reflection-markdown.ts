import type { Iteration, ReflectionDetail } from "../../main/shared/contract/reflection.ts";
import { formatShare } from "./format.ts";
import { nameOfIteration, partOf } from "./iteration-text.ts";

/** The whole reflection as a document that stands alone: question, final answer, every iteration, sources. */
export function reflectionMarkdown(reflection: ReflectionDetail): string {
  const { question, model, adapter, critic, iterations, sources, final, integrated } = reflection;
  const roles = [`model ${model}`, adapter && `adapter ${adapter}`, critic && `critic ${critic}`]
    .filter(Boolean)
    .join(", ");
  const blocks = [
    `# ${oneLine(question)}`,
    `_${roles}; ${new Date(reflection.createdAt).toISOString()}_`,
    ...(integrated ? ["## Integrated answer", integrated] : []),
    ...(final ? ["## Final answer", final] : []),
    ...iterations.flatMap(iterationBlocks),
    ...(sources.length > 0
      ? ["## Sources", sources.map(({ title, page }, i) => `${i + 1}. ${oneLine(title)}, p. ${page}`).join("\n")]
      : []),
  ];
  return `${blocks.map((block) => block.trim()).join("\n\n")}\n`;
}

function iterationBlocks(iteration: Iteration): string[] {
  const { metrics, critique } = iteration;
  const changed =
    metrics.changedShare === null ? "" : `, ${formatShare(metrics.changedShare)} of the sentences changed`;
  return [
    `## ${nameOfIteration(iteration.index)}`,
    `_${metrics.nThinkingWords} words of thinking, ${metrics.nAnswerWords} words of answer${changed}_`,
    ...(critique.length > 0
      ? [
          "### Critique",
          critique.map(({ point, actedOn }) => `- [${actedOn ? "x" : " "}] ${oneLine(point)}`).join("\n"),
        ]
      : []),
    "### Thinking",
    partOf(iteration, "thinking"),
    ...(iteration.reflection ? ["### Reflection", iteration.reflection] : []),
    "### Answer",
    iteration.answer,
  ];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
