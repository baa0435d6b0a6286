/** @file The same examples in every run; another PREFLEXOR_TEST_SEED looks elsewhere. A failure prints its own example. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["PREFLEXOR_TEST_SEED"] ?? 1) });
