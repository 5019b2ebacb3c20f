/** The chapters and their styles, in a chunk of their own: a tab loads it when the first is opened. */

import "../chapters/chapter.css";
import "../chapters/history.css";
import "../chapters/sides.css";
import "../chapters/impact.css";

export { called, Chapters } from "../chapters/chapter.js";
