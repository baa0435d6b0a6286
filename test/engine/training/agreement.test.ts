import { describe, expect, test } from "vitest";
import { createRandom } from "../../../main/engine/lib/random.ts";
import {
  isSharp,
  judgeAgreement,
  measureAgreement,
  type TokenChanges,
} from "../../../main/engine/training/agreement.ts";

/** Changes of tokens as trained, with what a file that does `doing` to them shows through noise of two roundings. */
function changes(
  options: { change: number; noise: number; nTokens?: number; seed?: number },
  doing: (change: number, i: number) => number = (change) => change,
): TokenChanges {
  const random = createRandom("agreement", options.seed ?? 1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const trained = Array.from({ length: options.nTokens ?? 96 }, () => options.change * normal());
  const baseDifference = trained.map(() => options.noise * normal());
  const seen = trained.map((change, i) => doing(change, i) + options.noise * normal() - baseDifference[i]!);
  return { trained, seen, baseDifference };
}

const verdictOf = (tokens: TokenChanges) => judgeAgreement(measureAgreement(tokens)).verdict;

/** Root mean square change of a token's log-prob, and noise, as measured on SmolLM2-135M. */
const SITUATIONS = [
  { where: "an epoch on weights in F32", change: 0.12, noise: 1e-5 },
  { where: "one step on weights in F32", change: 0.014, noise: 1e-5 },
  { where: "an epoch on F16, rounded as on AVX2", change: 0.12, noise: 5e-3 },
  { where: "a long training on 8-bit products", change: 0.85, noise: 0.12 },
];

describe.each(SITUATIONS)("$where", ({ change, noise }) => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed);

  test("a good adapter passes, whatever the noise happens to be", () => {
    const verdicts = seeds.map((seed) => verdictOf(changes({ change, noise, seed })));
    expect(new Set(verdicts)).toEqual(new Set(["passed"]));
  });

  test.each<[string, (change: number, i: number) => number]>([
    ["half of what was trained", (trained) => trained / 2],
    ["twice of it", (trained) => 2 * trained],
    ["two thirds of it", (trained) => (2 / 3) * trained],
    ["the opposite", (trained) => -trained],
    ["something else of the same size", (_, i) => change * Math.sin(37 * i)],
  ])("an adapter that does %s fails", (_, doing) => {
    const verdicts = seeds.map((seed) => verdictOf(changes({ change, noise, seed }, doing)));
    expect(new Set(verdicts)).toEqual(new Set(["failed"]));
  });
});

test("an adapter that does nothing fails however large the noise: it would change at least roundings", () => {
  const { trained, baseDifference } = changes({ change: 0.014, noise: 0.12 });
  const idle = { trained, seen: trained.map(() => 0), baseDifference };
  const { verdict, reason } = judgeAgreement(measureAgreement(idle));
  expect(verdict).toBe("failed");
  expect(reason).toMatch(/no log-prob changes at all; the training changed them by 0\.01\d per token/);
});

test("a change below the noise is not provable, and the reason gives the numbers", () => {
  const agreement = measureAgreement(changes({ change: 0.014, noise: 0.12 }));
  expect(isSharp(agreement)).toBe(false);
  const { verdict, reason } = judgeAgreement(agreement);
  expect(verdict).toBe("not_provable");
  expect(reason).toMatch(/changed log-probs by 0\.01\d per token, rounding changes them by 0\.1\d/);
});

test("a lost or displaced layer is seen where noise is small: numbers of such adapters on weights in F32", () => {
  const good = { nTokens: 96, changeTrained: 0.2112, changeSeen: 0.2112, noise: 1.5e-5 };
  const exact = { ...good, share: 0.99999, uncertainty: 4e-5, unexplained: 2e-5 };
  expect(isSharp(exact)).toBe(true);
  expect(judgeAgreement(exact).verdict).toBe("passed");
  // one layer of thirty without effect, and two neighbouring layers in each other's place
  const lost = { ...good, changeSeen: 0.2049, share: 0.97, uncertainty: 0.0063, unexplained: 0.0033 };
  const swapped = { ...good, changeSeen: 0.194, share: 0.9177, uncertainty: 0.0165, unexplained: 0.0085 };
  expect(judgeAgreement(lost).verdict).toBe("failed");
  expect(judgeAgreement(swapped).verdict).toBe("failed");
  // a tenth of the tokens lose a part of their change
  const lossy = changes({ change: 0.12, noise: 1e-5 }, (change, i) => (i % 10 === 0 ? 0.6 * change : change));
  expect(judgeAgreement(measureAgreement(lossy)).verdict).toBe("failed");
  expect(isSharp(measureAgreement(changes({ change: 0.12, noise: 0.12 })))).toBe(false);
});

test("numbers of good adapters on 8-bit products pass, or are not provable when the change is no larger than the noise", () => {
  const q8 = { nTokens: 285, noise: 0.122 };
  const long = { ...q8, changeTrained: 0.846, changeSeen: 0.88, share: 1.0292, uncertainty: 0.0336, unexplained: 0.12 };
  const epoch = {
    ...q8,
    changeTrained: 0.125,
    changeSeen: 0.19,
    share: 1.1851,
    uncertainty: 0.224,
    unexplained: 0.118,
  };
  expect(judgeAgreement(long).verdict).toBe("passed");
  expect(judgeAgreement(epoch).verdict).toBe("not_provable");
});

test("numbers that are not finite fail; a training that changed nothing proves nothing", () => {
  const tokens = changes({ change: 0.1, noise: 1e-4 });
  const damaged = { ...tokens, seen: tokens.seen.with(3, Number.NaN) };
  expect(judgeAgreement(measureAgreement(damaged))).toMatchObject({
    verdict: "failed",
    reason: expect.stringContaining("not finite") as string,
  });
  const idle = { ...tokens, trained: tokens.trained.map(() => 0) };
  expect(judgeAgreement(measureAgreement({ ...idle, seen: idle.seen.map(() => 0) })).verdict).toBe("not_provable");
  expect(judgeAgreement(measureAgreement(idle)).verdict).toBe("failed");
});

test("the straight line is the least-squares one", () => {
  const { share, unexplained, noise, changeTrained } = measureAgreement({
    trained: [1, 2, 3],
    seen: [2, 4, 7],
    baseDifference: [3, 4, 0],
  });
  // (2 + 8 + 21) / 14 and the root of the mean of (2 - s)² + (4 - 2s)² + (7 - 3s)²
  expect(share).toBeCloseTo(31 / 14, 12);
  expect(unexplained).toBeCloseTo(Math.sqrt((69 - 31 ** 2 / 14) / 3), 12);
  expect(noise).toBeCloseTo(Math.sqrt(25 / 3), 12);
  expect(changeTrained).toBeCloseTo(Math.sqrt(14 / 3), 12);
});
