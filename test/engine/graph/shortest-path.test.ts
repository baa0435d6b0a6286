import fc from "fast-check";
import { expect, test } from "vitest";
import { type Edge, shortestPath } from "../../../main/engine/graph/shortest-path.ts";

const N = 7;
const edges = fc
  .array(fc.tuple(fc.nat(N - 1), fc.nat(N - 1)), { maxLength: 14 })
  .map((pairs) => pairs.map(([a, b], i): Edge => ({ id: `r${i}`, sourceId: `c${a}`, targetId: `c${b}` })));

/** Distances by Floyd and Warshall: slow, and nothing like a search. */
function distances(edges: Edge[]): number[][] {
  const d = Array.from({ length: N }, (_, i) => Array.from({ length: N }, (_, j) => (i === j ? 0 : Infinity)));
  for (const { sourceId, targetId } of edges) {
    const [a, b] = [Number(sourceId.slice(1)), Number(targetId.slice(1))];
    if (a !== b) d[a]![b] = d[b]![a] = 1;
  }
  for (let k = 0; k < N; k++)
    for (let i = 0; i < N; i++) for (let j = 0; j < N; j++) d[i]![j] = Math.min(d[i]![j]!, d[i]![k]! + d[k]![j]!);
  return d;
}

test("the path is as short as can be, and each relation joins its two concepts", () => {
  fc.assert(
    fc.property(edges, fc.nat(N - 1), fc.nat(N - 1), (edges, from, to) => {
      const path = shortestPath(edges, `c${from}`, `c${to}`);
      const expected = distances(edges)[from]![to]!;
      if (expected === Infinity) {
        expect(path).toEqual({ conceptIds: [], relationIds: [] });
        return;
      }
      expect(path.relationIds).toHaveLength(expected);
      expect([path.conceptIds[0], path.conceptIds.at(-1)]).toEqual([`c${from}`, `c${to}`]);
      path.relationIds.forEach((id, i) => {
        const { sourceId, targetId } = edges.find((edge) => edge.id === id)!;
        expect([sourceId, targetId].toSorted()).toEqual(path.conceptIds.slice(i, i + 2).toSorted());
      });
    }),
  );
});
