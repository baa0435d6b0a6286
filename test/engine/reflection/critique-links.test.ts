import { describe, expect, test } from "vitest";
import { linkCritique } from "../../../main/engine/reflection/critique-links.ts";
import { createSimilarity, type Similarity } from "../../../main/engine/reflection/similarity.ts";
import { createFakeEmbedder } from "../../harness/fake-embedder.ts";

const similarity = createSimilarity(createFakeEmbedder(), new AbortController().signal);
const thinking = "Reasoning Steps:\n- Graphene conducts electrons.\n- Lithium ions move through the electrolyte.";

describe("linkCritique", () => {
  test("links a point to the new sentence that speaks of it, and to no other", async () => {
    const improved = `${thinking}\n- Nanoparticles shorten the diffusion path.\n- Annealing removes water from the powder.`;
    const [first, second] = await linkCritique(
      [
        "The thinking leaves out that nanoparticles shorten the diffusion path.",
        "Say that annealing removes the water.",
      ],
      thinking,
      improved,
      similarity,
    );
    expect(first).toMatchObject({ ordinal: 0, actedOn: true, changedSentences: [3] });
    expect(second).toMatchObject({ ordinal: 1, actedOn: true, changedSentences: [4] });
  });

  test("does not credit a point with what already stood there", async () => {
    const improved = `${thinking}\n- Silica gel keeps the air dry.`;
    const [point] = await linkCritique(["Say that graphene conducts electrons."], thinking, improved, similarity);
    expect(point).toMatchObject({ actedOn: false, changedSentences: [] });
  });

  test("links a sentence that was changed towards the point", async () => {
    const improved = thinking.replace("Graphene conducts electrons.", "Graphene conducts electrons along its sheets.");
    const [point] = await linkCritique(
      ["Say that graphene conducts along its sheets."],
      thinking,
      improved,
      similarity,
    );
    expect(point!.changedSentences).toEqual([1]);
  });

  test("goes by words alone when there is no embedder", async () => {
    const blind = async () => () => null;
    const improved = `${thinking}\n- Nanoparticles shorten the diffusion path.`;
    const [point] = await linkCritique(["Nanoparticles shorten the path of diffusion."], thinking, improved, blind);
    expect(point!.actedOn).toBe(true);
  });

  describe("of a whole rewrite", () => {
    const blind = async () => () => null;
    /** Everything in one field of science is about this near to everything else. */
    const topical = async () => () => 0.65;
    const link = async (point: string, before: string, after: string, similarity: Similarity = blind) =>
      (await linkCritique([point], before, after, similarity))[0]!;

    test("credits a sentence that says exactly the point, though the one it replaced had none but the point's words", async () => {
      const before = "Reasoning Steps:\n- Graphene forms a network.";
      const after = "Reasoning Steps:\n- Graphene forms a network of sheets that conducts electrons.";
      const point = "Say that graphene forms a network of sheets that conducts electrons.";
      expect(await link(point, before, after)).toMatchObject({ actedOn: true, changedSentences: [1] });
    });

    test("credits a long sentence that answers a short point among other things", async () => {
      const said =
        "The powder was kept for two hours under argon at an annealing temperature of 600 °C, so that the organic residue left the pores.";
      expect(await link("Name the annealing temperature.", thinking, `${thinking}\n- ${said}`)).toMatchObject({
        changedSentences: [3],
      });
    });

    test("does not tick a point for a new sentence that only shares its subject", async () => {
      const before = "Graphene wraps the LiFePO4 particles. LiFePO4 cathodes conduct badly.";
      const after = `${before} Graphene improves the rate capability of LiFePO4 cathodes.`;
      const point = "Give the conductivity of LiFePO4 as a number.";
      expect(await link(point, before, after, topical)).toMatchObject({ actedOn: false, changedSentences: [] });
    });

    test("does not tick a point for a sentence that only moved", async () => {
      const before = "Graphene conducts electrons. Ions move through the electrolyte. Heating removes water.";
      const after = "Ions move through the electrolyte. Heating removes water. Graphene conducts electrons.";
      expect(await link("Say that graphene conducts electrons.", before, after)).toMatchObject({ actedOn: false });
    });

    test("gives each of two points on one subject the sentence that is its own", async () => {
      const points = [
        "The thinking leaves out that the rate capability of LiFePO4 is limited by slow diffusion of lithium ions.",
        "The thinking leaves out that the rate capability of LiFePO4 falls when graphene oxide is not reduced.",
      ];
      const after = `${thinking}\n- When graphene oxide is not reduced, the rate capability of LiFePO4 falls.\n- Slow diffusion of lithium ions limits the rate capability of LiFePO4.`;
      const linked = await linkCritique(points, thinking, after, topical);
      expect(linked.map(({ changedSentences }) => changedSentences)).toEqual([[4], [3]]);
    });
  });

  describe("of a revision point by point", () => {
    test("tells what was done for each point, in whatever words", async () => {
      const improved = `${thinking}\n- Such sheets carry charge.\n- Small grains help.`;
      const linked = await linkCritique(
        [
          "The thinking says this more than once: Ions move.",
          "The thinking leaves out that graphene wires the particles.",
          "Size matters.",
        ],
        thinking,
        improved,
        similarity,
        [
          { kind: "removal" },
          { kind: "statement", statement: "Such sheets carry charge." },
          { kind: "statement", statement: "Small grains help." },
        ],
      );
      expect(linked.map(({ actedOn, changedSentences }) => ({ actedOn, changedSentences }))).toEqual([
        { actedOn: true, changedSentences: [] },
        { actedOn: true, changedSentences: [3] },
        { actedOn: true, changedSentences: [4] },
      ]);
    });
  });
});
