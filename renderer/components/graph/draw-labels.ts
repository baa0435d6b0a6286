import type { NodeHoverDrawingFunction, NodeLabelDrawingFunction } from "sigma/rendering";
import type { EdgeAttributes, NodeAttributes } from "./build-graph.ts";

type Colours = { ink: string; surface: string; line: string };

const GAP_PX = 5;

/** A name beside its node, with a rim in the colour of the ground so that it stays legible over edges. */
export function labelDrawer({ ink, surface }: Colours): NodeLabelDrawingFunction<NodeAttributes, EdgeAttributes> {
  return (context, data, settings) => {
    if (!data.label) return;
    context.font = `${settings.labelWeight} ${settings.labelSize}px ${settings.labelFont}`;
    const x = data.x + data.size + GAP_PX;
    const y = data.y + settings.labelSize / 3;
    context.lineJoin = "round";
    context.lineWidth = 3.5;
    context.strokeStyle = surface;
    context.strokeText(data.label, x, y);
    context.fillStyle = ink;
    context.fillText(data.label, x, y);
  };
}

/** The node under the pointer: its name on a small plate and a ring around it. */
export function hoverDrawer({ ink, surface, line }: Colours): NodeHoverDrawingFunction<NodeAttributes, EdgeAttributes> {
  return (context, data, settings) => {
    context.beginPath();
    context.arc(data.x, data.y, data.size + 3, 0, 2 * Math.PI);
    context.strokeStyle = ink;
    context.lineWidth = 1.5;
    context.stroke();
    if (!data.label) return;
    context.font = `600 ${settings.labelSize}px ${settings.labelFont}`;
    const width = context.measureText(data.label).width;
    const x = data.x + data.size + GAP_PX;
    const height = settings.labelSize + 8;
    context.beginPath();
    context.roundRect(x - 4, data.y - height / 2, width + 8, height, 4);
    context.fillStyle = surface;
    context.fill();
    context.strokeStyle = line;
    context.lineWidth = 1;
    context.stroke();
    context.fillStyle = ink;
    context.fillText(data.label, x, data.y + settings.labelSize / 3);
  };
}
