/**
 * What the chapters take from the view. Their own bundle leaves these out: who opens a chapter has the view already, and
 * gives it them. `build.mjs` reads the names from here; one that is missing is told when the bundle is built.
 */

import { problem } from "./view/asking.js";
import { copyText } from "./view/clipboard.js";
import { html, keepPlainKeys, several, shield, svg } from "./view/dom.js";
import { Drawing } from "./view/drawing.js";
import { alone } from "./view/exploration.js";
import { Help } from "./view/help.js";
import { NODE_WIDTH } from "./view/layout.js";
import { Live } from "./view/live.js";
import { MARKS, WORST_FIRST, findingMark, inlineMark, mark, statusOf, strength } from "./view/marks.js";
import { describeHop, describeNode, index, judged, link, name, part, when } from "./view/model.js";
import { Popover } from "./view/popover.js";
import { csv, download, fileName } from "./view/saving.js";
import { Table } from "./view/tables.js";
import { Tabs } from "./view/tabs.js";
import { brief, clean, fit, instant, percent, shortEndpoint, shortName, words } from "./view/text.js";
import { mountAudit } from "./view/view.js";
import { EVIDENCE_ONLY, VERDICTS, policyWords, verdictStatus, verdictWords } from "./view/wording.js";

export const parts = {
  alone,
  brief,
  clean,
  copyText,
  csv,
  describeHop,
  describeNode,
  download,
  Drawing,
  EVIDENCE_ONLY,
  fileName,
  findingMark,
  fit,
  Help,
  html,
  index,
  inlineMark,
  instant,
  judged,
  keepPlainKeys,
  link,
  Live,
  mark,
  MARKS,
  mountAudit,
  name,
  NODE_WIDTH,
  part,
  percent,
  policyWords,
  Popover,
  problem,
  several,
  shield,
  shortEndpoint,
  shortName,
  statusOf,
  strength,
  svg,
  Table,
  Tabs,
  VERDICTS,
  verdictStatus,
  verdictWords,
  when,
  words,
  WORST_FIRST,
};

export type Parts = typeof parts;
