/** The drawing of lineage-explorer alone, everything in it open: a page beside the peers' for benchmarks/screens.py. */

const audit = JSON.parse(document.getElementById("audit").textContent);
const stage = document.getElementById("stage");
const drawing = window.lxBench.stage(audit, stage);
const canvas = stage.querySelector(".lx-canvas");
// Where it is on the screen: while it is moved its sheet is, when it rests what is on the sheet is.
const place = () => {
  const [{ e, f, a }, frame] = [canvas.querySelector(".lx-sheet > svg > g").getScreenCTM(), canvas.getBoundingClientRect()];
  return [e - frame.left, f - frame.top, a];
};

/** Waits until the drawing stands still: it may move there in steps. */
const still = async () => {
  const frame = () => new Promise(requestAnimationFrame);
  for (let before = "", now = place().join(); now !== before; now = place().join()) {
    before = now;
    await frame();
    await frame();
  }
};

window.lxStage = {
  surface: () => canvas,
  place,
  fit: () => drawing.fit(),
  async anchor(ref) {
    // Only what is in the window has an element: it is brought there, and all of the drawing back.
    drawing.reveal(ref);
    await still();
    const node = [...canvas.querySelectorAll("[data-id]")].find((item) => item.getAttribute("data-id") === ref);
    const [box, frame, [left, top, scale]] = [node.getBoundingClientRect(), canvas.getBoundingClientRect(), place()];
    const [x, y] = [(box.left + box.width / 2 - frame.left - left) / scale, (box.top + box.height / 2 - frame.top - top) / scale];
    drawing.fit();
    await still();
    const [newLeft, newTop, newScale] = place();
    return [frame.left + newLeft + x * newScale, frame.top + newTop + y * newScale];
  },
  hops: () => audit.hops.length,
};
