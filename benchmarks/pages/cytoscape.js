/**
 * Cytoscape.js with the dagre extension: a page of the audit's nodes and hops, for benchmarks/screens.py.
 *
 * Its quickest edges (haystack, the default) and what its documentation advises for large graphs, as far as it does not
 * change what is seen: no label is drawn that could not be read.
 */

import cytoscape from "cytoscape";
import dagre from "cytoscape-dagre";

cytoscape.use(dagre);

const { nodes, hops } = JSON.parse(document.getElementById("audit").textContent);
const graph = cytoscape({
  container: document.getElementById("stage"),
  elements: {
    nodes: nodes.map(({ ref, kind, label, fact }) => ({ data: { id: ref, text: `${kind}\n${label}\n${fact}` }, pannable: true })),
    edges: hops.map(({ id, cause, effect }) => ({ data: { id, source: cause, target: effect }, pannable: true })),
  },
  style: [
    {
      selector: "node",
      style: {
        shape: "round-rectangle",
        width: 212,
        height: 62,
        "background-color": "#fff",
        "border-width": 1,
        "border-color": "#888",
        label: "data(text)",
        "text-wrap": "wrap",
        "text-valign": "center",
        "font-size": 12,
        "min-zoomed-font-size": 6,
      },
    },
    { selector: "edge", style: { width: 1.5, "line-color": "#888", "curve-style": "haystack" } },
  ],
  layout: { name: "dagre", rankDir: "LR", nodeSep: 22, rankSep: 72, animate: false, fit: true, padding: 14 },
  minZoom: 0.001,
  autoungrabify: true,
  boxSelectionEnabled: false,
});
graph.one("render", () => window.lxDrawn());

window.lxStage = {
  surface: () => document.getElementById("stage"),
  place: () => [graph.pan().x, graph.pan().y, graph.zoom()],
  fit: () => graph.fit(undefined, 14),
  /** Where a node's middle is, in pixels from the corner of the window. */
  anchor(ref) {
    const { x, y } = graph.getElementById(ref).renderedPosition();
    const box = document.getElementById("stage").getBoundingClientRect();
    return [box.left + x, box.top + y];
  },
  hops: () => graph.edges().length,
};
