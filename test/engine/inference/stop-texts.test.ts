import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStopTexts } from "../../../main/engine/inference/host/stop-texts.ts";

function run(pieces: string[], stops: string[]): { shown: string[]; isStopped: boolean } {
  const stream = createStopTexts(stops);
  const shown: string[] = [];
  for (const piece of pieces) {
    const { text, isStopped } = stream.push(piece);
    shown.push(text);
    if (isStopped) return { shown, isStopped };
  }
  shown.push(stream.end());
  return { shown, isStopped: false };
}

describe("stop texts", () => {
  it("end the text before the first of them, wherever it is cut into pieces", () => {
    const letters = fc.stringMatching(/^[ab\n]{0,6}$/);
    fc.assert(
      fc.property(
        fc.array(letters),
        fc.array(fc.stringMatching(/^[ab\n]{1,4}$/), { maxLength: 3 }),
        (pieces, stops) => {
          const whole = pieces.join("");
          // letter by letter: the first beginning of the text that ends with a stop text
          let end = 0;
          const isEnd = () => stops.some((stop) => whole.slice(0, end).endsWith(stop));
          while (end < whole.length && !isEnd()) end++;
          const longest = Math.max(
            0,
            ...stops.filter((stop) => whole.slice(0, end).endsWith(stop)).map((s) => s.length),
          );
          const { shown, isStopped } = run(pieces, stops);
          expect(isStopped).toBe(longest > 0);
          expect(shown.join("")).toBe(whole.slice(0, end - longest));
        },
      ),
      {
        numRuns: 5000,
        examples: [
          [
            ["\naa", "b"],
            ["a", "\naab"],
          ],
        ],
      },
    );
  });

  it("hold back no more than could become one", () => {
    expect(run(["Hello", " wor", "ld"], ["\n"]).shown).toEqual(["Hello", " wor", "ld", ""]);
    expect(run(["a#", "#b"], ["###"]).shown).toEqual(["a", "##b", ""]);
  });
});
