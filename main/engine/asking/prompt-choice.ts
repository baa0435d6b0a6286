/** Below this many parameters a model cannot fill a schema with sense: code selects and checks its single lines. */
const SMALL_BELOW_PARAMETERS = 1e9;

/**
 * The one rule for what a small model is. A model of unknown size counts as able: sizes are unknown of what is not a
 * file here, and what serves a laboratory from elsewhere is large. A recipe and a reflection may name another prompt set.
 */
export function isSmallModel(facts: { nParameters: number | null }): boolean {
  return facts.nParameters !== null && facts.nParameters < SMALL_BELOW_PARAMETERS;
}

/** The prompt set that fits a model when nobody names one. */
export function promptSetFor(facts: { nParameters: number | null }): "tiny" | "standard" {
  return isSmallModel(facts) ? "tiny" : "standard";
}
