/** A node with its label to the right: `x`, `y` is the node's centre, `reach` the radius, `width` the label's length. */
export type LabelledNode = { x: number; y: number; reach: number; width: number };

/** The room that a small window leaves for the graph: what has its place there has it in any larger one. */
export const STAGE = { width: 660, height: 560 };
/** Mean width of a character at the size in which labels are drawn. */
const CHARACTER_PX = 6.8;
const LINE_HEIGHT = 24;
const GAP = 8;
const MOST_ROUNDS = 300;

/**
 * Scales a small layout to the stage's proportions and moves nodes, as little as needed, until no label lies on
 * another node or label. Positions come back in units of about a pixel.
 */
export function spreadLabels(nodes: readonly LabelledNode[]): { x: number; y: number }[] {
  const places = fitToStage(nodes);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    if (!separateOnce(nodes, places)) break;
  }
  return places;
}

function fitToStage(nodes: readonly LabelledNode[]): { x: number; y: number }[] {
  const [left, right] = extentOf(nodes.map(({ x }) => x));
  const [top, bottom] = extentOf(nodes.map(({ y }) => y));
  const scaleX = STAGE.width / Math.max(right - left, 1e-6);
  const scaleY = STAGE.height / Math.max(bottom - top, 1e-6);
  return nodes.map(({ x, y }) => ({ x: (x - left) * scaleX, y: (y - top) * scaleY }));
}

/** True when something had to move. */
function separateOnce(nodes: readonly LabelledNode[], places: { x: number; y: number }[]): boolean {
  let hasMoved = false;
  for (let i = 0; i < nodes.length; i++) {
    for (let j = i + 1; j < nodes.length; j++) {
      const [a, b] = [boxOf(nodes[i]!, places[i]!), boxOf(nodes[j]!, places[j]!)];
      const overlapX = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const overlapY = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (overlapX <= 0 || overlapY <= 0) continue;
      hasMoved = true;
      const axis = overlapY < overlapX ? "y" : "x";
      const push = (axis === "y" ? overlapY : overlapX) / 2 + 0.5;
      const sign = places[i]![axis] <= places[j]![axis] ? 1 : -1;
      places[i]![axis] -= sign * push;
      places[j]![axis] += sign * push;
    }
  }
  return hasMoved;
}

function boxOf({ reach, width }: LabelledNode, { x, y }: { x: number; y: number }) {
  const half = Math.max(reach + GAP / 2, LINE_HEIGHT / 2);
  return { left: x - reach - GAP, right: x + reach + width + GAP, top: y - half, bottom: y + half };
}

export function labelWidth(label: string): number {
  return label.length * CHARACTER_PX;
}

/** What a view must show for no label to be cut off. */
export function extentWithLabels(nodes: readonly LabelledNode[]): { x: [number, number]; y: [number, number] } {
  const lefts = nodes.map(({ x, reach }) => x - reach);
  const rights = nodes.map(({ x, reach, width }) => x + reach + width);
  return { x: [Math.min(...lefts), Math.max(...rights)], y: extentOf(nodes.map(({ y }) => y)) };
}

function extentOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)];
}
