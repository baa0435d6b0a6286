/** Below this many parameters a model gets the `tiny` set: single lines that code selects and checks. */
const TINY_BELOW_PARAMETERS = 1e9;

export function promptSetFor(facts: { nParameters: number | null }): string {
  return facts.nParameters !== null && facts.nParameters < TINY_BELOW_PARAMETERS ? "tiny" : "standard";
}
