import type { JobRow } from "../../main/shared/contract/job.ts";
import type { Route } from "./routes.ts";

/** Where the result of a job is seen; undefined where there is no screen for it. Job types are `domain.verb`. */
export function placeOfResult({
  type,
  output,
}: Pick<JobRow, "type" | "output">): { route: Route; label: string } | undefined {
  const domain = type.split(".")[0];
  if (domain === "corpus") return { route: { screen: "corpus" }, label: "Open corpus" };
  // pairs have no screen of their own yet; the graph grows with them
  if (domain === "graph" || domain === "preference") return { route: { screen: "graph" }, label: "Open graph" };
  if (domain !== "reflection") return undefined;
  const reflectionId =
    typeof output === "object" && output !== null && "reflectionId" in output ? output.reflectionId : undefined;
  const route: Route = typeof reflectionId === "string" ? { screen: "reflect", reflectionId } : { screen: "reflect" };
  return { route, label: "Open reflection" };
}
