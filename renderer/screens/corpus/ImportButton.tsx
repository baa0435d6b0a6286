import { Button } from "@mantine/core";
import { IconFileImport } from "@tabler/icons-react";
import { useRef } from "react";
import { DOCUMENT_FORMATS } from "../../../main/shared/document-formats.ts";
import { useEngine } from "../../engine/engine-context.ts";
import { importPicked, openImportDialog } from "../../engine/import-documents.ts";

/** Media types and endings: systems know one or the other. */
const ACCEPTED = Object.values(DOCUMENT_FORMATS)
  .flatMap(({ mediaType, extensions }) => [mediaType, ...extensions.map((extension) => `.${extension}`)])
  .join(",");

export function ImportButton({ label = "Import PDFs", isPrimary = false }: { label?: string; isPrimary?: boolean }) {
  const engine = useEngine();
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        variant={isPrimary ? "filled" : "default"}
        leftSection={<IconFileImport size={15} aria-hidden />}
        onClick={() => {
          // a browser has no dialog of the shell; its own file input does the same
          if (openImportDialog(engine) === null) input.current?.click();
        }}
      >
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        accept={ACCEPTED}
        hidden
        aria-label="PDF files to import"
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          if (files.length > 0) void importPicked(engine, files);
        }}
      />
    </>
  );
}
