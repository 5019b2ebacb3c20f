/** Our icons, drawn for 16 x 16 and coloured by JupyterLab's themes. */

import { LabIcon } from "@jupyterlab/ui-components";

const draw = (path: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16"><path class="jp-icon3" fill="#616161" d="${path}"/></svg>`;

/** Two origins that flow into one end. */
export const lineageIcon = new LabIcon({
  name: "lineage-explorer:lineage",
  svgstr: draw(
    "M3 1.5a2 2 0 1 0 1.9 2.6C7 4.3 7.4 5.4 7.9 6.7C8 7 8.1 7.2 8.2 7.4H4.9a2 2 0 1 0 0 1.2H8.2C8.1 8.8 8 9 7.9 9.3" +
      "C7.4 10.6 7 11.7 4.9 11.9A2 2 0 1 0 4.9 13.1C7.8 12.9 8.5 11.2 9 9.8C9.3 9 9.5 8.6 10.1 8.6H10.6" +
      "a2.2 2.2 0 1 0 0-1.2H10.1C9.5 7.4 9.3 7 9 6.2C8.5 4.8 7.8 3.1 4.9 2.9A2 2 0 0 0 3 1.5Z",
  ),
});
