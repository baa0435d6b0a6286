import { NumberInput } from "@mantine/core";
import { IconArrowAutofitWidth, IconChevronDown, IconChevronUp, IconZoomIn, IconZoomOut } from "@tabler/icons-react";
import { IconButton } from "../IconButton.tsx";
import classes from "./PdfView.module.css";

const ZOOM_STEP = 1.25;

export type PdfToolbarProps = {
  page: number;
  nPages: number;
  zoom: number;
  onPage(page: number): void;
  onZoom(zoom: number): void;
};

export function PdfToolbar({ page, nPages, zoom, onPage, onZoom }: PdfToolbarProps) {
  return (
    <div className={classes.toolbar} role="toolbar" aria-label="Page view">
      <IconButton label="Previous page" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        <IconChevronUp size={16} />
      </IconButton>
      <NumberInput
        aria-label="Page"
        value={page}
        min={1}
        max={nPages}
        hideControls
        w={48}
        onChange={(value) => {
          if (typeof value === "number" && value >= 1 && value <= nPages && value !== page) onPage(value);
        }}
      />
      <span className="dim num">of {nPages}</span>
      <IconButton label="Next page" disabled={page >= nPages} onClick={() => onPage(page + 1)}>
        <IconChevronDown size={16} />
      </IconButton>
      <span className={classes.gap} />
      <IconButton label="Smaller" onClick={() => onZoom(zoom / ZOOM_STEP)}>
        <IconZoomOut size={16} />
      </IconButton>
      <IconButton label="Fit the width" isActive={zoom === 1} onClick={() => onZoom(1)}>
        <IconArrowAutofitWidth size={16} />
      </IconButton>
      <IconButton label="Larger" onClick={() => onZoom(zoom * ZOOM_STEP)}>
        <IconZoomIn size={16} />
      </IconButton>
    </div>
  );
}
