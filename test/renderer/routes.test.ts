import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRoute, parseRoute, type Route, SCREEN_NAMES } from "../../renderer/lib/routes.ts";

const id = fc.uuid();
const count = fc.nat(1_000_000);
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.constantFrom<Route>({ screen: "corpus" }, { screen: "graph" }, { screen: "reflect" }, { screen: "jobs" }),
  fc.record({ screen: fc.constant("corpus" as const), documentId: id }),
  fc.record({
    screen: fc.constant("corpus" as const),
    documentId: id,
    page: count.map((n) => n + 1),
    span: fc.record({ start: count, end: count }),
  }),
  fc.record({ screen: fc.constant("jobs" as const), jobId: id }),
  fc.record({
    screen: fc.constant("graph" as const),
    focus: fc.record({ kind: fc.constantFrom("concept" as const, "relation" as const), id }),
  }),
  fc.record({
    screen: fc.constant("graph" as const),
    focus: fc.record({ kind: fc.constant("path" as const), fromId: id, toId: id }),
  }),
  fc.record({
    screen: fc.constant("reflect" as const),
    reflectionId: id,
    compare: fc.record({
      before: count,
      after: count,
      part: fc.constantFrom("thinking" as const, "reflection" as const, "answer" as const),
    }),
  }),
);

describe("routes", () => {
  it("lead back to the place that they were made from", () => {
    fc.assert(
      fc.property(route, (place) => {
        expect(parseRoute(formatRoute(place))).toEqual(place);
      }),
    );
  });

  it("take anything typed by hand for some place", () => {
    fc.assert(
      fc.property(fc.string(), (typed) => {
        expect(SCREEN_NAMES).toContain(parseRoute(typed).screen);
      }),
    );
    expect(parseRoute("/corpus/abc/0/5-9")).toEqual({ screen: "corpus", documentId: "abc" });
    expect(parseRoute("/nowhere/1")).toEqual({ screen: "corpus" });
  });
});
