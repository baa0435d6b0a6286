import { expect, test } from "vitest";
import { pairText } from "../../main/cli/lib/pair-text.ts";
import { thinkingSources } from "../../main/cli/report/sections.ts";
import type { PairProvenance, PairRow, Statement } from "../../main/shared/contract/preference.ts";
import type { ChunkId, DocumentId, PairId } from "../../main/shared/ids.ts";
import { DEFAULT_MARKERS } from "../../main/shared/markers.ts";

const documentId = "d" as DocumentId;
const span = {
  chunkId: "c" as ChunkId,
  documentId,
  page: 7,
  start: 10,
  end: 30,
  quote: "Carbon, we found, stores ions.",
};
const statements: Statement[] = [
  { text: "Carbon stores ions.", spans: [span] },
  { text: "More pores would store more.", spans: [] },
  { text: "Ions are charged.", spans: null },
];
const pair: PairRow & { provenance: PairProvenance } = {
  id: "p" as PairId,
  stage: "orpo",
  stageIndex: 0,
  loss: "orpo",
  round: 0,
  ordinal: 0,
  question: "Why?",
  chosen: "Because.",
  rejected: "",
  markers: DEFAULT_MARKERS,
  messages: null,
  tokens: null,
  thinking: [{ name: "Reasoning Steps", statements }],
  status: "filtered",
  filterReason: "answer_too_short",
  sources: [
    {
      chunkId: "other" as ChunkId,
      documentId,
      title: "A paper",
      page: 3,
      start: 0,
      end: 9,
      score: null,
      role: "source",
    },
  ],
  createdAt: 0,
  provenance: {
    seed: 1,
    experimentId: "e",
    teacher: "big",
    policy: "small",
    policyAdapter: null,
    promptSet: "tiny",
    promptHash: "h",
    sampler: {},
    threads: 2,
    libraryVersion: "l",
    tookMs: {},
  },
};

test("a statement stands with the page that holds its words, never with the pair's own page", () => {
  const text = pairText(pair);
  expect(text).toContain("  - Carbon stores ions.\n      A paper, p. 7: “Carbon, we found, stores ions.”");
  expect(text).toContain("  - More pores would store more.\n      the model’s own inference");
  expect(text).toContain("  - Ions are charged.\n      source not known");
  expect(text).not.toContain("p. 3");
  expect(text).toContain("filtered: The answer is too short");
});

test("the report says the same", () => {
  const { markup } = thinkingSources(pair);
  expect(markup.match(/<li>/g)).toHaveLength(3);
  expect(markup).toContain("A paper, p. 7");
  expect(markup).toContain("the model’s own inference");
});
