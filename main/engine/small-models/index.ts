/**
 * What exists because a very small model cannot fill a schema: picking sentences, finding terms, thinking and revising
 * line by line, and the checks that this needs. The method (METHOD §§3 and 5) knows it only as a PairWriter and a
 * Reviser, which createEngine hands in; nothing here runs for a teacher and a critic that answer by grammar.
 */
export { reviseByLines } from "./revise-by-lines.ts";
export { linesWriter } from "./write-by-lines.ts";
