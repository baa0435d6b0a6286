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
          const first = Math.min(...stops.map((stop) => whole.indexOf(stop)).filter((index) => index >= 0), Infinity);
          const { shown, isStopped } = run(pieces, stops);
          expect(isStopped).toBe(first < Infinity);
          expect(shown.join("")).toBe(whole.slice(0, first === Infinity ? undefined : first));
        },
      ),
    );
  });

  it("hold back no more than could become one", () => {
    expect(run(["Hello", " wor", "ld"], ["\n"]).shown).toEqual(["Hello", " wor", "ld", ""]);
    expect(run(["a#", "#b"], ["###"]).shown).toEqual(["a", "##b", ""]);
  });
});
