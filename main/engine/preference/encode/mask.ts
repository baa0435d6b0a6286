import { createRandom } from "../../lib/random.ts";
import type { Mask } from "../../../shared/mask.ts";
import type { Span, ThinkingPlaces } from "./find-thinking.ts";

/**
 * The same place counted in tokens: `prefixIds` are the tokens of the text up to it. A token that lies across the place
 * stands behind it: it carries loss after a closing marker, and a mask never takes a token of the answer away.
 */
export function tokenPosition(ids: readonly number[], prefixIds: readonly number[]): number {
  let n = 0;
  while (n < ids.length && n < prefixIds.length && ids[n] === prefixIds[n]) n++;
  return n;
}

/**
 * Which response tokens carry loss: 1 yes, 0 no. `places` count in tokens. The fraction's tokens are drawn with the
 * seed, so that the same mask can be made and shown again.
 */
export function responseMask(
  nTokens: number,
  mask: Mask,
  places: Pick<ThinkingPlaces, "thinking" | "answerStart">,
  seed: number,
): (0 | 1)[] {
  const carries = Array.from({ length: nTokens }, (): 0 | 1 => 1);
  if (mask === "none") return carries;
  if (mask === "answer_only") return carries.fill(0, 0, Math.min(places.answerStart, nTokens));
  for (const position of drawPositions(places.thinking, mask.thinking_fraction, seed)) carries[position] = 0;
  return carries;
}

/** round(fraction × n) different positions of all spans together, by partial Fisher–Yates. */
function drawPositions(spans: readonly Span[], fraction: number, seed: number): number[] {
  const positions = spans.flatMap(({ start, end }) =>
    Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i),
  );
  const nDrawn = Math.round(fraction * positions.length);
  const random = createRandom(seed, "thinking mask");
  for (let i = 0; i < nDrawn; i++) {
    const j = i + Math.floor(random() * (positions.length - i));
    [positions[i], positions[j]] = [positions[j]!, positions[i]!];
  }
  return positions.slice(0, nDrawn);
}
