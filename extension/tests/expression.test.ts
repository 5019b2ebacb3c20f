import { describe, expect, it } from "vitest";
import { Expression } from "../src/view/expression.js";

const SOURCES = [
  "a", "a*b", "^ab?c$", "(ab|cd)+e", "[a-c]{2,3}x", "\\d+", "x.y", "(?:a|b)*c", "(?<name>a)b", "a{0}", "a{0,2}b", "a{2,}", "(a*)*b", "(a|)+c",
  "\\bab\\b", "\\Bb", "a|", "[^a]", "[\\]a]", "(a{2}){2}", "\\p{Lu}", "\\u0061b", "\\x61", "a\\.b", "^$", "a??b", "\\/x", "a/b", "(a+)+$", "[^\\s]+ c",
]; // prettier-ignore
const TEXTS = ["", "a", "b", "ab", "abc", "ac", "cde", "ababe", "abx", "aax", "abcx", "12", "x\ny", "xzy", "aac", "aaaa", "a.b", "]", "ab cd", "Ab", "b/x", "a/b", "aaaab", "ÄA", "😀"];

describe("an expression", () => {
  it("finds what the browser's own finds", () => {
    for (const source of SOURCES)
      for (const text of TEXTS)
        for (const flags of ["", "i"]) expect([source, text, flags, new Expression(source, flags).test(text)]).toEqual([source, text, flags, new RegExp(source, `u${flags}`).test(text)]);
  });

  it("ends where the browser's own would not", () => {
    const text = `${"a".repeat(20_000)}!`;
    for (const source of ["(a+)+$", "^(a|a)*b$", "(a|aa)+$", "(.*a){12}$", "([a-z]+)*\\d"]) expect(new Expression(source, "").test(text)).toBe(false);
  });

  it("says what is wrong with it, and never takes long to read", () => {
    for (const source of ["(", ")", "[", "*a", "a**", "\\", "(?=a)", "(?<!a)", "\\1", "a{2,1}", "[z-a]", "a{x", "a{99999}", "(((a{30}){30}){30})", "(){999999999}", "(((){999}){999}){999}", "a".repeat(501)])
      expect(() => new Expression(source, ""), source.slice(0, 20)).toThrow(SyntaxError);
    expect(() => new Expression("a", "g")).toThrow(/flag/u);
  });

  it("stops when the time is up", () => {
    expect(new Expression("(a|b|c)+$", "").test("a".repeat(5_000) + "!", () => true)).toBeUndefined();
  });
});
