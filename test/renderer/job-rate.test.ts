import { describe, expect, it } from "vitest";
import { addSample, type ProgressSample, rateOf, timeLeftMs } from "../../renderer/lib/job-rate.ts";

const samplesOf = (list: [number, number][]) =>
  list.reduce<ProgressSample[]>((samples, [at, n]) => addSample(samples, { at, n }), []);

describe("the rate of a job", () => {
  it("is that of the last half minute, so that a slow start is forgotten", () => {
    expect(
      rateOf(
        samplesOf([
          [0, 0],
          [50_000, 1],
          [60_000, 21],
          [70_000, 41],
        ]),
      ),
    ).toBeCloseTo(2);
  });
  it("is not known from one sample, from no movement or after a new beginning", () => {
    expect(rateOf(samplesOf([[0, 3]]))).toBeNull();
    expect(
      rateOf(
        samplesOf([
          [0, 3],
          [9000, 3],
        ]),
      ),
    ).toBeNull();
    expect(
      rateOf(
        samplesOf([
          [0, 80],
          [9000, 90],
          [10_000, 0],
        ]),
      ),
    ).toBeNull();
  });
  it("gives the time left only where there is a total", () => {
    const progress = { n: 10, total: 50, unit: "pairs", message: "" };
    expect(timeLeftMs(progress, 2)).toBe(20_000);
    expect(timeLeftMs({ ...progress, total: null }, 2)).toBeNull();
    expect(timeLeftMs(progress, null)).toBeNull();
  });
});
