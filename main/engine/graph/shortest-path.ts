export type Edge = { id: string; sourceId: string; targetId: string };
export type Path = { conceptIds: string[]; relationIds: string[] };

/** The fewest relations that lead from one concept to another, in either direction of each; empty when none do. */
export function shortestPath(edges: readonly Edge[], fromId: string, toId: string): Path {
  const neighbours = new Map<string, { conceptId: string; relationId: string }[]>();
  for (const { id, sourceId, targetId } of edges) {
    addTo(neighbours, sourceId, { conceptId: targetId, relationId: id });
    addTo(neighbours, targetId, { conceptId: sourceId, relationId: id });
  }
  const reachedBy = new Map<string, { conceptId: string; relationId: string } | null>([[fromId, null]]);
  const queue = [fromId];
  for (let at = 0; at < queue.length && !reachedBy.has(toId); at++) {
    for (const { conceptId, relationId } of neighbours.get(queue[at]!) ?? []) {
      if (reachedBy.has(conceptId)) continue;
      reachedBy.set(conceptId, { conceptId: queue[at]!, relationId });
      queue.push(conceptId);
    }
  }
  return walkBack(reachedBy, toId);
}

function walkBack(reachedBy: Map<string, { conceptId: string; relationId: string } | null>, toId: string): Path {
  if (!reachedBy.has(toId)) return { conceptIds: [], relationIds: [] };
  const conceptIds = [toId];
  const relationIds: string[] = [];
  for (let step = reachedBy.get(toId); step; step = reachedBy.get(step.conceptId)) {
    conceptIds.unshift(step.conceptId);
    relationIds.unshift(step.relationId);
  }
  return { conceptIds, relationIds };
}

function addTo<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
