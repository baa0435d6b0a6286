import { createInterface } from "node:readline";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { DocumentRow, SearchHit, SearchMode } from "../../shared/contract/corpus.ts";
import { AppError } from "../../shared/errors.ts";
import type { DocumentId } from "../../shared/ids.ts";
import { parsePositiveInt } from "../lib/arguments.ts";
import { print, printJson, printTable, shorten } from "../lib/output.ts";
import { type Session, withSession } from "../lib/session.ts";

export function addCorpusCommands(program: Command): void {
  program
    .command("import")
    .description("import PDFs: files and folders")
    .argument("<path...>")
    .option("--no-embed", "leave the chunks without embeddings: text search only")
    .action((paths: string[], options: { embed: boolean }, command: Command) =>
      withSession(command, (session) => importPaths(session, paths, options.embed)),
    );
  program
    .command("documents")
    .description("list the documents of the corpus")
    .action((_options: unknown, command: Command) => withSession(command, listDocuments));
  program
    .command("document")
    .description("show one document, or one of its pages with text and chunks")
    .argument("<id>")
    .option("--page <n>", "page number, from 1", parsePositiveInt)
    .action((id: string, options: { page?: number }, command: Command) =>
      withSession(command, (session) => showDocument(session, id, options.page)),
    );
  program
    .command("search")
    .description("search the corpus by meaning and by words")
    .argument("[query]")
    .addOption(new Option("--mode <mode>", "ranking").choices(["hybrid", "vector", "text"]).default("hybrid"))
    .option("--limit <n>", "number of hits", parsePositiveInt, 10)
    .option("--batch <file>", 'JSON lines {"id","query"} in, {"id","hits"} out')
    .action((query: string | undefined, options: SearchOptions, command: Command) =>
      withSession(command, (session) =>
        options.batch === undefined ? search(session, query, options) : searchBatch(session, options.batch, options),
      ),
    );
}

type SearchOptions = { mode: SearchMode; limit: number; batch?: string };

async function importPaths(session: Session, paths: string[], embed: boolean): Promise<void> {
  const absolute = paths.map((path) => resolve(path));
  const { jobId } = await session.client.corpus.importFiles({ paths: absolute, embed });
  const output = await session.finish(jobId, "corpus.import");
  // one usable file is a success; a batch of which nothing can be used is bad input
  if (!output.documents.some(({ status }) => status === "ready" || status === "duplicate")) process.exitCode = 2;
  if (session.asJson) return printJson(output);
  for (const document of output.documents) {
    const facts = document.status === "ready" ? `${document.nPages} pages, ${document.nChunks} chunks` : "";
    print(`${document.status.padEnd(10)} ${shorten(document.title || document.path, 70)}  ${document.reason ?? facts}`);
  }
  const nReady = output.documents.filter((document) => document.status === "ready").length;
  print(`${nReady} of ${output.documents.length} files are ready.`);
}

async function listDocuments(session: Session): Promise<void> {
  const documents = await session.client.corpus.listDocuments({});
  if (session.asJson) return printJson({ documents });
  if (documents.length === 0) return print("The corpus is empty. Import papers with: preflexor import PATH…");
  printTable<DocumentRow>(documents, [
    { header: "id", value: (row) => row.id },
    { header: "title", value: (row) => shorten(row.title, 60) },
    { header: "pages", value: (row) => String(row.nPages), align: "right" },
    { header: "chunks", value: (row) => String(row.nChunks), align: "right" },
    { header: "status", value: (row) => row.status },
  ]);
}

async function showDocument(session: Session, id: string, page: number | undefined): Promise<void> {
  const documentId = id as DocumentId; // parsed by the contract
  if (page === undefined) {
    const document = await session.client.corpus.getDocument({ documentId });
    return session.asJson ? printJson(document) : print(JSON.stringify(document, null, 2));
  }
  const text = await session.client.corpus.getPage({ documentId, page });
  if (session.asJson) return printJson(text);
  print(text.text);
  print();
  for (const chunk of text.chunks) print(`[${chunk.start}–${chunk.end}] ${shorten(chunk.text, 90)}`);
}

async function search(session: Session, query: string | undefined, options: SearchOptions): Promise<void> {
  if (query === undefined) throw new AppError("VALIDATION_FAILED", "search needs a query or --batch FILE");
  const result = await session.client.corpus.search({ query, mode: options.mode, limit: options.limit });
  if (session.asJson) return printJson(result);
  if (result.warning) print(`Note: ${result.warning}`);
  if (result.hits.length === 0) print("Nothing found.");
  for (const [i, hit] of result.hits.entries()) printHit(i + 1, hit);
}

function printHit(rank: number, hit: SearchHit): void {
  const { vector, text } = hit.ranks;
  print(`${rank}. ${shorten(hit.title, 70)} · p. ${hit.page}  (meaning ${vector ?? "–"}, words ${text ?? "–"})`);
  print(`   ${shorten(hit.text, 160)}`);
}

async function searchBatch(session: Session, file: string, options: SearchOptions): Promise<void> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  for await (const line of lines) {
    if (line.trim() === "") continue;
    const { id, query } = parseBatchLine(line, file);
    const { hits } = await session.client.corpus.search({ query, mode: options.mode, limit: options.limit });
    printJson({ id, hits });
  }
}

function parseBatchLine(line: string, file: string): { id: unknown; query: string } {
  try {
    const value = JSON.parse(line) as { id?: unknown; query?: unknown };
    if (typeof value.query === "string") return { id: value.id, query: value.query };
  } catch (cause) {
    throw new AppError("VALIDATION_FAILED", `${file} holds a line that is not JSON`, { cause });
  }
  throw new AppError("VALIDATION_FAILED", `A line of ${file} has no "query"`);
}
