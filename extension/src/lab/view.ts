/** The view and its styles, in a chunk of their own: JupyterLab starts without them. */

import "../view/view.css";
import "../view/controls.css";
import "../view/reading.css";
import "../view/policy.css";
import "../view/drawing.css";
import "../view/fitting.css";

export { alone } from "../view/exploration.js";
export { mountAudit, type Mounted } from "../view/view.js";
