import { Tooltip } from "@mantine/core";
import { IconFileText } from "@tabler/icons-react";
import { hrefOf } from "../lib/routes.ts";
import classes from "./SourceChip.module.css";

export type SourceChipProps = {
  documentId: string;
  title: string;
  page: number;
  span?: { start: number; end: number };
  /** The words at that place, for the tooltip. */
  text?: string;
  /** Where the title stands beside a row of chips already. */
  isPageOnly?: boolean;
};

/** One click from any statement to the page it comes from. */
export function SourceChip({ documentId, title, page, span, text, isPageOnly = false }: SourceChipProps) {
  const href = hrefOf({ screen: "corpus", documentId, page, ...(span ? { span } : {}) });
  return (
    <Tooltip label={text ? `${title}: “${shorten(text)}”` : title} disabled={!text && title.length < 30}>
      <a href={href} className={classes.chip}>
        {isPageOnly ? <span className="visually-hidden">{title}, </span> : <ChipTitle title={title} />}
        <span className="num">p. {page}</span>
      </a>
    </Tooltip>
  );
}

function ChipTitle({ title }: { title: string }) {
  return (
    <>
      <IconFileText size={13} aria-hidden />
      <span className={classes.title}>{title}</span>
    </>
  );
}

function shorten(text: string): string {
  return text.length > 240 ? `${text.slice(0, 240).trimEnd()}…` : text;
}
