import type { JobRow } from "../../main/shared/contract/job.ts";
import type { Route } from "./routes.ts";

/** Where the result of a job is seen; undefined where there is no screen for it. Job types are `domain.verb`. */
export function placeOfResult({
  type,
  about,
}: Pick<JobRow, "type" | "about">): { route: Route; label: string } | undefined {
  const domain = type.split(".")[0];
  if (domain === "corpus") return { route: { screen: "corpus" }, label: "Open corpus" };
  // pairs have no screen of their own yet; the graph grows with them
  if (domain === "graph" || domain === "preference") return { route: { screen: "graph" }, label: "Open graph" };
  if (domain !== "reflection") return undefined;
  const route: Route = about === null ? { screen: "reflect" } : { screen: "reflect", reflectionId: about };
  return { route, label: "Open reflection" };
}
