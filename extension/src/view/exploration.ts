/** What stands around a thing, as the view shows it by itself. It is never judged. */

import type { Audit } from "./audit.js";
import { count } from "./changes.js";
import type { Exploration } from "./transport.js";

/** An exploration shown alone: as an audit without verdict, of which nothing serves and nothing was found wanting. */
export function alone(found: Exploration): Audit {
  const { nodes, hops, question } = found;
  const more = Object.values(found.beyond).reduce((sum, item) => sum + item.upstream + item.downstream, 0);
  return {
    question: { endpoint: found.root, as_of: question.as_of, known_at: question.known_at, policy: { name: "", version: "", digest: "" } },
    verdict: null,
    answer: `${found.root} and ${count(nodes.length - 1, "thing")} around it${more > 0 ? `; ${count(more, "link")} to more that is not shown` : ""}. Nothing here is judged: open an endpoint for that.`,
    serving: [],
    nodes: [...nodes],
    hops: [...hops],
    evidence: [...found.evidence],
    datasets: [],
    findings: [],
    digest: "",
    beyond: found.beyond,
  };
}
