import { AppError, isAppError } from "../../shared/errors.ts";
import type { Recipe } from "../recipe/index.ts";
import type { PreferenceDeps, ResolvedModel } from "./deps.ts";

export type RoleName = keyof Recipe["roles"];

/** The model of a role. Errors: MODEL_NOT_FOUND names the role and how to give it another one. */
export async function resolveRole(
  models: PreferenceDeps["models"],
  { name, roles }: Pick<Recipe, "name" | "roles">,
  role: RoleName,
): Promise<ResolvedModel> {
  const model = roles[role];
  try {
    return await models.resolveModel(model);
  } catch (error) {
    if (!isAppError(error, "MODEL_NOT_FOUND")) throw error;
    throw new AppError("MODEL_NOT_FOUND", `There is no model ${model}, the ${role} of the recipe ${name}`, {
      hint: `Name another one with --${role} MODEL. ${error.hint ?? ""}`.trim(),
      details: { ...error.details, role, model },
      cause: error,
    });
  }
}
