/** What a build needs to know of a Windows library without running it. */
import { readFileSync, writeFileSync } from "node:fs";

/** A module definition file of ggml's C functions. The library also exports C++ of its own compiler, which fits no other. */
export function writeDefinition(dllPath: string, definitionPath: string): void {
  const names = exportedNames(readFileSync(dllPath)).filter((name) =>
    /^(ggml|gguf|quantize|dequantize)_\w+$/.test(name),
  );
  writeFileSync(definitionPath, ["LIBRARY ggml-base.dll", "EXPORTS", ...names].join("\n") + "\n");
}

/** ggml's version and commit as ggml_version() and ggml_commit() return them: "0.23.0;5b4ebc5". */
export function ggmlIdentity(dllPath: string): string {
  const text = readFileSync(dllPath, "latin1");
  const only = (pattern: RegExp): string => {
    const found = new Set(Array.from(text.matchAll(pattern), (match) => match[1]));
    const [first] = found;
    if (found.size !== 1 || first === undefined) throw new Error(`${dllPath} does not say which ggml it is`);
    return first;
  };
  return `${only(/\0(\d+\.\d+\.\d+)(?=\0)/g)};${only(/\0([0-9a-f]{7,12})(?=\0)/g)}`;
}

// The Portable Executable format: https://learn.microsoft.com/windows/win32/debug/pe-format
function exportedNames(dll: Buffer): string[] {
  const header = dll.readUInt32LE(0x3c) + 4;
  const optionalHeader = header + 20;
  const sections = optionalHeader + dll.readUInt16LE(header + 16);
  const nSections = dll.readUInt16LE(header + 2);

  const offsetOf = (address: number): number => {
    for (let i = 0; i < nSections; i++) {
      const section = sections + 40 * i;
      const start = dll.readUInt32LE(section + 12);
      if (address >= start && address < start + dll.readUInt32LE(section + 8))
        return address - start + dll.readUInt32LE(section + 20);
    }
    throw new Error(`address ${address} is in no section of the library`);
  };

  const directory = offsetOf(dll.readUInt32LE(optionalHeader + 112));
  const nNames = dll.readUInt32LE(directory + 24);
  const names = offsetOf(dll.readUInt32LE(directory + 32));
  return Array.from({ length: nNames }, (_, i) => {
    const start = offsetOf(dll.readUInt32LE(names + 4 * i));
    return dll.toString("latin1", start, dll.indexOf(0, start));
  });
}
