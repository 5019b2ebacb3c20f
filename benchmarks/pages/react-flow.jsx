/**
 * React Flow with ELK's layered layout: a page of the audit's nodes and hops, for benchmarks/screens.py.
 *
 * ELK works in a worker. Nodes have their size from the start, so that none is measured first, and only what is in the
 * window has elements, as React Flow's documentation advises for large graphs.
 */

import { ReactFlow } from "@xyflow/react";
import "@xyflow/react/dist/base.css";
import ELK from "elkjs/lib/elk-api.js";
import elkWorker from "elkjs/lib/elk-worker.min.js";
import { createRoot } from "react-dom/client";

const [width, height] = [212, 62];
const { nodes, hops } = JSON.parse(document.getElementById("audit").textContent);
const elk = new ELK({ workerFactory: () => new Worker(URL.createObjectURL(new Blob([elkWorker]))) });
const placed = await elk.layout({
  id: "root",
  layoutOptions: {
    "elk.algorithm": "layered",
    "elk.direction": "RIGHT",
    "elk.spacing.nodeNode": "22",
    "elk.layered.spacing.nodeNodeBetweenLayers": "72",
  },
  children: nodes.map(({ ref }) => ({ id: ref, width, height })),
  edges: hops.map(({ id, cause, effect }) => ({ id, sources: [cause], targets: [effect] })),
});
const at = new Map(placed.children.map(({ id, x, y }) => [id, { x, y }]));
let flow;
const style = { border: "1px solid #888", background: "#fff", fontSize: 12, textAlign: "center" };

createRoot(document.getElementById("stage")).render(
  <ReactFlow
    defaultNodes={nodes.map(({ ref, kind, label, fact }) => ({
      id: ref,
      position: at.get(ref),
      width,
      height,
      style,
      sourcePosition: "right",
      targetPosition: "left",
      data: { label: [kind, label, fact].map((text, i) => <div key={i}>{text}</div>) },
    }))}
    defaultEdges={hops.map(({ id, cause, effect }) => ({ id, source: cause, target: effect, style: { stroke: "#888" } }))}
    onInit={(made) => (flow = made)}
    fitView
    fitViewOptions={{ minZoom: 0.001, padding: 0.02 }}
    minZoom={0.001}
    onlyRenderVisibleElements
    nodesDraggable={false}
    nodesConnectable={false}
    elementsSelectable={false}
  />,
);

window.lxStage = {
  surface: () => document.querySelector(".react-flow__pane"),
  place() {
    const { x, y, zoom } = flow.getViewport();
    return [x, y, zoom];
  },
  fit: () => flow.fitView({ minZoom: 0.001, padding: 0.02 }),
  anchor(ref) {
    const { x, y } = at.get(ref);
    const place = flow.flowToScreenPosition({ x: x + width / 2, y: y + height / 2 });
    return [place.x, place.y];
  },
  hops: () => flow.getEdges().length,
};
