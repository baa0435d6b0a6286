import { DOCUMENT_FORMATS } from "../../main/shared/document-formats.ts";
import { plural } from "./format.ts";

const MEDIA_TYPES: readonly string[] = Object.values(DOCUMENT_FORMATS).map(({ mediaType }) => mediaType);

/** What a drag shows of itself before it is dropped: kinds and media types, no names. */
export type DraggedItem = { kind: string; type: string };

/** One sentence that says what dropping here will do; null when the drag holds no files (a text selection, a link). */
export function describeDrag(items: readonly DraggedItem[]): string | null {
  const files = items.filter(({ kind }) => kind === "file");
  if (files.length === 0) return null;
  const nPdfs = files.filter(({ type }) => MEDIA_TYPES.includes(type)).length;
  // folders and files of unknown kind both come without a type
  const nUnknown = files.filter(({ type }) => type === "").length;
  const nOthers = files.length - nPdfs - nUnknown;
  const parts = [
    nPdfs > 0 && plural(nPdfs, "PDF"),
    nUnknown > 0 && `${nPdfs > 0 ? "" : "the PDFs of "}${plural(nUnknown, "folder or file", "folders or files")}`,
  ].filter(Boolean);
  if (parts.length === 0) return `${plural(nOthers, "file")}, but no PDF: nothing to import`;
  const skipped = nOthers > 0 ? ` (${plural(nOthers, "other file")} will be left out)` : "";
  return `Import ${parts.join(" and ")} into the corpus${skipped}`;
}

/**
 * Every file of a drop, folders walked through. The browser takes the list of items away as soon as the event is
 * over, so the entries are collected before the first wait.
 */
export async function filesOfDrop(transfer: DataTransfer): Promise<File[]> {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (entries.length === 0) return [...transfer.files];
  const nested = await Promise.all(entries.map(filesOfEntry));
  return nested.flat();
}

async function filesOfEntry(entry: FileSystemEntry): Promise<File[]> {
  if (isFileEntry(entry)) return [await new Promise<File>((resolve, reject) => entry.file(resolve, reject))];
  if (!isDirectoryEntry(entry)) return [];
  const children = await entriesOfDirectory(entry);
  const nested = await Promise.all(children.map(filesOfEntry));
  return nested.flat();
}

/** readEntries answers with at most a hundred entries at a time, and with none at the end. */
async function entriesOfDirectory(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function isFileEntry(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectoryEntry(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
