/** The view and its styles, in a chunk of their own: JupyterLab starts without them. */

import "../view/view.css";
import "../view/drawing.css";

export { alone } from "../view/exploration.js";
export { mountAudit, type Mounted } from "../view/view.js";
