import { expect, test } from "vitest";
import { resolveRole } from "../../../main/engine/preference/roles.ts";
import { AppError } from "../../../main/shared/errors.ts";

const roles = { teacher: "big", policy: "small", critic: "small" };

test("a missing model is named with its role, and how to give another one", async () => {
  const resolveModel = (ref: string) => {
    if (ref === "small") return { name: ref, path: "/m", sha256: "s", facts: { nParameters: 1 } };
    throw new AppError("MODEL_NOT_FOUND", `There is no model ${ref}`, { hint: "`models list` shows the models here." });
  };
  const recipe = { name: "paper", roles };
  await expect(resolveRole({ resolveModel }, recipe, "teacher")).rejects.toMatchObject({
    code: "MODEL_NOT_FOUND",
    message: "There is no model big, the teacher of the recipe paper",
    hint: "Name another one with --teacher MODEL. `models list` shows the models here.",
    details: { role: "teacher", model: "big" },
  });
  expect((await resolveRole({ resolveModel }, recipe, "policy")).path).toBe("/m");
});
