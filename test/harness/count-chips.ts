/**
 * node test/harness/count-chips.ts <workspace>
 *
 * Every page chip that the window would show for a workspace's pairs and graph, held against the text of its page: the
 * quoted sentence must stand there word for word. Ends with 1 where one does not.
 */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import type { ThinkingSection } from "../../main/shared/contract/preference.ts";

export type ChipCount = {
  nStatements: number;
  /** Statements with a page, without one because a model inferred them, and of unknown source. */
  byBasis: { papers: number; model: number; unknown: number };
  nChips: number;
  /** Chips whose page does not hold the quote at the place that they name. */
  wrong: Chip[];
};
type Chip = { of: string; document_id: string; page: number; start: number; end: number; quote: string };

export function countChips(workspaceDir: string): ChipCount {
  const path = join(workspaceDir, "studio.db");
  if (!existsSync(path)) throw new Error(`${workspaceDir} holds no workspace`);
  const db = new Database(path, { readonly: true });
  try {
    const statements = db
      .prepare<[], { id: string; thinking: string }>("SELECT id, thinking FROM preference_pair")
      .all()
      .flatMap(({ id, thinking }) =>
        (JSON.parse(thinking) as ThinkingSection[]).flatMap((section) =>
          section.statements.map((statement) => ({ id, ...statement })),
        ),
      );
    const ofPairs = statements.flatMap(({ id, spans }): Chip[] =>
      (spans ?? []).map(({ documentId, ...span }) => ({ ...span, of: `pair ${id}`, document_id: documentId })),
    );
    const ofGraph = db
      .prepare<[], Chip>(
        `SELECT 'evidence ' || evidence.id AS of, chunk.document_id, chunk.page, evidence.start, evidence."end", quote
           FROM evidence JOIN chunk ON chunk.id = evidence.chunk_id WHERE basis = 'papers'`,
      )
      .all();
    const pageText = db.prepare<[string, number], { text: string }>(
      "SELECT text FROM page WHERE document_id = ? AND page = ?",
    );
    const chips = [...ofPairs, ...ofGraph];
    const holds = (chip: Chip) =>
      pageText.get(chip.document_id, chip.page)?.text.slice(chip.start, chip.end) === chip.quote &&
      chip.quote.trim() !== "";
    return {
      nStatements: statements.length,
      byBasis: {
        papers: statements.filter(({ spans }) => spans !== null && spans.length > 0).length,
        model: statements.filter(({ spans }) => spans?.length === 0).length,
        unknown: statements.filter(({ spans }) => spans === null).length,
      },
      nChips: chips.length,
      wrong: chips.filter((chip) => !holds(chip)),
    };
  } finally {
    db.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [workspace] = process.argv.slice(2);
  if (!workspace) throw new Error("usage: node test/harness/count-chips.ts <workspace>");
  const { nStatements, byBasis, nChips, wrong } = countChips(resolve(workspace));
  console.log(
    `${nStatements} statements: ${byBasis.papers} from the papers, ${byBasis.model} a model's own, ${byBasis.unknown} of unknown source`,
  );
  console.log(`${nChips} chips, ${wrong.length} lead to a page that does not hold their sentence`);
  for (const chip of wrong.slice(0, 5)) console.log(JSON.stringify(chip));
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
