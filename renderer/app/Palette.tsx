import { Modal } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { matchWords } from "../lib/match-words.ts";
import type { PaletteCommand } from "../lib/palette-command.ts";
import { usePaletteCommands } from "./palette-commands.ts";
import classes from "./Palette.module.css";

const MOST_SHOWN = 40;

export function Palette({ isOpen, onClose }: { isOpen: boolean; onClose(): void }) {
  return (
    <Modal.Root
      opened={isOpen}
      onClose={onClose}
      padding={0}
      size={560}
      yOffset="12vh"
      transitionProps={{ duration: 80 }}
    >
      <Modal.Overlay backgroundOpacity={0.35} />
      <Modal.Content aria-label="Commands">{isOpen && <PaletteList onClose={onClose} />}</Modal.Content>
    </Modal.Root>
  );
}

function PaletteList({ onClose }: { onClose(): void }) {
  const [typed, setTyped] = useState("");
  const [index, setIndex] = useState(0);
  const listId = useId();
  const active = useRef<HTMLDivElement>(null);
  const commands = rank(usePaletteCommands(true), typed);
  const current = Math.min(index, commands.length - 1);
  useEffect(() => {
    // in braces: newer Chromium answers with a promise, which React would take for a clean-up
    active.current?.scrollIntoView({ block: "nearest" });
  }, [current]);

  const run = (command: PaletteCommand | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      setIndex((current + step + commands.length) % Math.max(1, commands.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(commands[current]);
    }
  };
  return (
    <>
      <div className={classes.field}>
        <IconSearch size={16} aria-hidden />
        <input
          data-autofocus
          role="combobox"
          aria-label="Type a command, a document, a question or a concept"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={commands[current] ? `${listId}-${current}` : undefined}
          placeholder="Type a command, a document, a question or a concept"
          value={typed}
          onChange={(event) => {
            setTyped(event.currentTarget.value);
            setIndex(0);
          }}
          onKeyDown={onKeyDown}
        />
        <kbd>Esc</kbd>
      </div>
      <div className={classes.list} role="listbox" id={listId} aria-label="Commands">
        {commands.length === 0 && <div className={classes.none}>Nothing is called that.</div>}
        {commands.map((command, i) => (
          <div
            key={command.id}
            ref={i === current ? active : null}
            id={`${listId}-${i}`}
            role="option"
            aria-selected={i === current}
            className={classes.option}
            onPointerMove={() => setIndex(i)}
            onClick={() => run(command)}
          >
            <span className="clip">{command.label}</span>
            <span className={classes.group}>{command.group}</span>
          </div>
        ))}
      </div>
    </>
  );
}

function rank(commands: PaletteCommand[], typed: string): PaletteCommand[] {
  return commands
    .map((command) => ({ command, score: matchWords(command.label, typed) }))
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, MOST_SHOWN)
    .map(({ command }) => command);
}
