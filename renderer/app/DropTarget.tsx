import { IconFileImport } from "@tabler/icons-react";
import { useEffect, useState } from "react";
import { useEngine } from "../engine/engine-context.ts";
import { importDrop } from "../engine/import-documents.ts";
import { describeDrag } from "../lib/dropped-files.ts";
import { hrefOf, parseRoute } from "../lib/routes.ts";
import classes from "./DropTarget.module.css";
import { useToasts } from "./toast-store.ts";

/** The whole window takes files. While they hover, one sentence says what letting go will do. */
export function DropTarget() {
  const engine = useEngine();
  const showToast = useToasts((store) => store.show);
  const [sentence, setSentence] = useState<string | null>(null);

  useEffect(() => {
    // enter and leave fire for every element on the way: the drag is over when as many have been left as entered
    let depth = 0;
    const end = () => {
      depth = 0;
      setSentence(null);
    };
    const onEnter = (event: DragEvent) => {
      const label = event.dataTransfer && describeDrag([...event.dataTransfer.items]);
      if (!label) return;
      event.preventDefault();
      depth += 1;
      setSentence(label);
    };
    const onOver = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "copy";
    };
    const onLeave = () => {
      depth -= 1;
      if (depth <= 0) end();
    };
    const onDrop = (event: DragEvent) => {
      end();
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      const isElsewhere = parseRoute(window.location.hash.slice(1)).screen !== "corpus";
      void importDrop(engine, event.dataTransfer).then((hasStarted) => {
        if (!isElsewhere) return;
        const text = hasStarted ? "Importing into the corpus" : "The import did not start";
        showToast({ id: "import", text, href: hrefOf({ screen: "corpus" }), isError: !hasStarted });
      });
    };
    const events = { dragenter: onEnter, dragover: onOver, dragleave: onLeave, drop: onDrop, dragend: end };
    for (const [name, listener] of Object.entries(events)) window.addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(events))
        window.removeEventListener(name, listener as EventListener);
    };
  }, [engine, showToast]);

  if (sentence === null) return null;
  return (
    <div className={classes.overlay}>
      <div className={classes.target}>
        <IconFileImport size={40} stroke={1.4} aria-hidden />
        <div className={classes.sentence}>{sentence}</div>
        <div className="dim">Copies go into the workspace; the originals stay where they are.</div>
      </div>
    </div>
  );
}
