import { createHash } from "node:crypto";

export type PdfPage = {
  lines: { text: string; x?: number; y: number; size?: number }[];
  cropBox?: [number, number, number, number];
  rotate?: number;
};
export type PdfOptions = { title?: string; userPassword?: string };

/** A small PDF of Helvetica lines at given places (points, y upwards), for what no real paper of the fixtures shows. */
export function makePdf(pages: PdfPage[], options: PdfOptions = {}): Buffer {
  const encryption = options.userPassword === undefined ? undefined : encrypt(options.userPassword);
  const objects: (string | Buffer)[] = [];
  const add = (body: string | Buffer) => objects.push(body);
  add("<< /Type /Catalog /Pages 2 0 R >>");
  add(`<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, i) => `${4 + 2 * i} 0 R`).join(" ")}] >>`);
  add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  for (const [i, page] of pages.entries()) {
    const crop = page.cropBox ? ` /CropBox [${page.cropBox.join(" ")}]` : "";
    const rotate = page.rotate ? ` /Rotate ${page.rotate}` : "";
    add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792]${crop}${rotate} /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * i} 0 R >>`,
    );
    const content = Buffer.from(page.lines.map(drawLine).join("\n"), "latin1");
    const data = encryption ? encryption.cipher(5 + 2 * i, content) : content;
    add(Buffer.concat([Buffer.from(`<< /Length ${data.length} >>\nstream\n`), data, Buffer.from("\nendstream")]));
  }
  if (options.title !== undefined) add(`<< /Title ${literal(options.title)} >>`);
  if (encryption) add(encryption.dictionary);
  const info = options.title === undefined ? "" : ` /Info ${4 + 2 * pages.length} 0 R`;
  const encrypted = encryption ? ` /Encrypt ${objects.length} 0 R /ID [<00> <00>]` : "";
  return assemble(objects, `/Root 1 0 R${info}${encrypted}`);
}

/** One line of text after another from the top of a page. */
export function linesFromTop(
  texts: string[],
  options: { x?: number; top?: number; pitch?: number; size?: number } = {},
): PdfPage["lines"] {
  const { x = 72, top = 720, pitch = 14, size = 11 } = options;
  return texts.map((text, i) => ({ text, x, y: top - i * pitch, size }));
}

function drawLine({ text, x = 72, y, size = 11 }: PdfPage["lines"][number]): string {
  return `BT /F1 ${size} Tf ${x} ${y} Td ${literal(text)} Tj ET`;
}

function literal(text: string): string {
  return `(${text.replace(/[\\()]/g, "\\$&")})`;
}

function assemble(objects: (string | Buffer)[], trailer: string): Buffer {
  const parts: Buffer[] = [Buffer.from("%PDF-1.4\n")];
  const offsets: number[] = [];
  let length = parts[0]!.length;
  const push = (part: Buffer) => {
    parts.push(part);
    length += part.length;
  };
  for (const [i, body] of objects.entries()) {
    offsets.push(length);
    push(
      Buffer.concat([
        Buffer.from(`${i + 1} 0 obj\n`),
        Buffer.from(body as string, "latin1"),
        Buffer.from("\nendobj\n"),
      ]),
    );
  }
  const startXref = length;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  push(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`));
  push(Buffer.from(`trailer\n<< /Size ${objects.length + 1} ${trailer} >>\nstartxref\n${startXref}\n%%EOF\n`));
  return Buffer.concat(parts);
}

/** PDF 32000-1 §7.6.3, revision 2: RC4 with 40 bits. Weak, and exactly what old locked papers use. */
function encrypt(password: string) {
  const padding = Buffer.from("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A", "hex");
  const padded = Buffer.concat([Buffer.from(password, "latin1"), padding]).subarray(0, 32);
  const ownerEntry = rc4(md5(padded).subarray(0, 5), padded);
  const permissions = Buffer.alloc(4);
  permissions.writeInt32LE(-4);
  const key = md5(padded, ownerEntry, permissions, Buffer.from([0])).subarray(0, 5);
  const userEntry = rc4(key, padding);
  return {
    dictionary: `<< /Filter /Standard /V 1 /R 2 /P -4 /O <${ownerEntry.toString("hex")}> /U <${userEntry.toString("hex")}> >>`,
    cipher(objectNumber: number, data: Buffer): Buffer {
      const salt = Buffer.from([objectNumber & 0xff, (objectNumber >> 8) & 0xff, 0, 0, 0]);
      return rc4(md5(key, salt).subarray(0, 10), data);
    },
  };
}

function md5(...parts: Buffer[]): Buffer {
  return createHash("md5").update(Buffer.concat(parts)).digest();
}

function rc4(key: Buffer, data: Buffer): Buffer {
  const state = Array.from({ length: 256 }, (_, i) => i);
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + state[i]! + key[i % key.length]!) & 0xff;
    [state[i], state[j]] = [state[j]!, state[i]!];
  }
  let [i, j] = [0, 0];
  return Buffer.from(
    data.map((byte) => {
      i = (i + 1) & 0xff;
      j = (j + state[i]!) & 0xff;
      [state[i], state[j]] = [state[j]!, state[i]!];
      return byte ^ state[(state[i]! + state[j]!) & 0xff]!;
    }),
  );
}
