import { powerSaveBlocker } from "electron";

/** Keeps the computer awake while a training runs; the screen may go dark. */
export function createAwakeKeeper(): (isTraining: boolean) => void {
  let blockerId: number | null = null;
  return (isTraining) => {
    if (isTraining && blockerId === null) blockerId = powerSaveBlocker.start("prevent-app-suspension");
    else if (!isTraining && blockerId !== null) {
      powerSaveBlocker.stop(blockerId);
      blockerId = null;
    }
  };
}
