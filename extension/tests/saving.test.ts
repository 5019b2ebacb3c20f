import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { literal, python } from "../src/view/code.js";
import { csv, fileName, pixels, savedLink } from "../src/view/saving.js";
import { small } from "./audits.js";

const HOSTILE = ['"; import os; os.system("true") #', "\\", '\\"', "a\nb\r\tc", '"""', "\u202Egnp\u2028", "😀é漢", "\u0000\uD800", "{x}%s"];

describe("a table as CSV", () => {
  it("is as RFC 4180 has it", () => {
    expect(csv([["a", 'say "b"', "c,d"], ["", "e f", "ü"]])).toBe('a,"say ""b""","c,d"\r\n,e f,ü\r\n');
  });

  it("holds no formula", () => {
    for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]) expect(csv([[text]])).toMatch(/^"?'/u);
    expect(csv([["churn = good"]])).toBe("churn = good\r\n");
  });

  it("keeps a hostile text in its cell", () => {
    expect(csv([['x"\r\n=cmd', "y"]]).split("\r\n")).toHaveLength(2);
  });
});

describe("a file's name", () => {
  it("is a name everywhere", () => {
    expect(fileName("endpoint:prod/churn prod", "lineage.json")).toBe("prod-churn-prod.lineage.json");
    expect(fileName("endpoint:../../etc/passwd", "svg")).toBe("etc-passwd.svg");
    expect(fileName("endpoint:🙃", "svg")).toBe("lineage.svg");
  });

  it("stands in a link that its title cannot end", () => {
    expect(savedLink("a](http://evil) <b>", "x y.json")).toBe("[a\\](http://evil) \\<b\\>](x%20y.json)");
  });
});

describe("a picture", () => {
  it("has two pixels for one, or what a canvas can hold", () => {
    expect(pixels(1000, 500)).toBe(2);
    expect(pixels(40_000, 100) * 40_000).toBeLessThanOrEqual(8192);
    const scale = pixels(8000, 8000);
    expect(scale * scale * 64_000_000).toBeLessThanOrEqual(48_000_001);
  });
});

describe("a view as Python", () => {
  const run = (code: string): string => execFileSync("python3", ["-c", code], { encoding: "utf8" });

  it("says any text so that Python reads it again, and nothing more", () => {
    const read = run(`import json, ast\nprint(json.dumps([ast.literal_eval(x) for x in json.loads(${literal(JSON.stringify(HOSTILE.map(literal)))})]))`);
    expect(JSON.parse(read)).toEqual(HOSTILE);
  });

  it("shows no character that turns the code around", () => {
    expect(literal("a\u202Eb")).toBe('"a\\u202eb"');
  });

  it("asks the same question again, whatever its texts are", () => {
    for (const text of HOSTILE) {
      const audit = small();
      audit.question = { ...audit.question, endpoint: text, policy: { ...audit.question.policy, name: text } };
      const code = python(audit, 'open_store("lineage.db")', { selected: text, query: text });
      const stub = [
        "import json, sys, types",
        "seen = {}",
        "class View: pass",
        "class Answer:",
        "    def widget(self): return seen.setdefault('view', View())",
        "def audit(store, endpoint, **more): seen.update(store=store, endpoint=endpoint, **more); return Answer()",
        "module = types.ModuleType('lineage_explorer'); module.audit = audit; module.open_store = lambda path: path",
        "sys.modules['lineage_explorer'] = module",
        `exec(${literal(code)})`,
        "print(json.dumps([seen['store'], seen['endpoint'], seen['as_of'], seen['known_at'], seen['policy'], seen['view'].selected, seen['view'].query]))",
      ].join("\n");
      const { as_of, known_at } = audit.question;
      expect(JSON.parse(run(stub))).toEqual(["lineage.db", text, as_of, known_at, text, text, text]);
    }
  });

  it("marks what is to be filled in where the store is not known", () => {
    expect(python(small(), "")).toContain('store = open_store("…")  # put here where your store is');
    expect(python(small(), "a\nb")).not.toContain("\nb\n");
  });
});
