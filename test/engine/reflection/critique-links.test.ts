import { describe, expect, test } from "vitest";
import { linkCritique } from "../../../main/engine/reflection/critique-links.ts";
import { createSimilarity } from "../../../main/engine/reflection/similarity.ts";
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
});
