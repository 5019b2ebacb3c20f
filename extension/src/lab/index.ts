/** The JupyterLab plugins. Each stands in its own file, and they are joined by the tokens in tokens.ts alone. */

import chapters from "./chapter-commands.js";
import commands from "./commands.js";
import estate from "./estate.js";
import explorer from "./explorer.js";
import files from "./files.js";
import ingests from "./ingests.js";
import notebook from "./notebook.js";
import panel from "./panel.js";

export default [estate, explorer, panel, commands, chapters, files, ingests, notebook];
