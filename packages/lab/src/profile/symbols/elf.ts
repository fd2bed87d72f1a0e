import { type FileHandle, open } from "node:fs/promises";

/** The identity of an ELF file, and the names of its code. */
export interface ElfIdentity {
  /** Hexadecimal; names the separate file with debug symbols. */
  buildId: string | undefined;
  /** Whether it has names of local functions (a symbol table, possibly compressed), not only of exported ones. */
  symbols: boolean;
}

interface Section {
  name: string;
  offset: number;
  size: number;
}

/** Reads a 64-bit little-endian ELF file; undefined for anything else. Source: elf(5). */
export async function readElf(path: string): Promise<ElfIdentity | undefined> {
  try {
    await using file = await open(path);
    const sections = await readSections(file);
    if (!sections) return undefined;
    const note = sections.find(({ name }) => name === ".note.gnu.build-id");
    const names = new Set(sections.map(({ name }) => name));
    return {
      buildId: note && buildIdOf(await bytesAt(file, note.offset, Math.min(note.size, 256))),
      symbols: [".symtab", ".debug_info", ".gnu_debugdata"].some((name) => names.has(name)),
    };
  } catch {
    return undefined;
  }
}

/**
 *     header:  0 "\x7fELF"  4 class (2: 64 bits)  5 order (1: little)  40 u64 section table
 *              58 u16 size of an entry  60 u16 entries  62 u16 entry of the section with the names
 *     entry:   0 u32 name  24 u64 offset  32 u64 size
 */
async function readSections(file: FileHandle): Promise<Section[] | undefined> {
  const header = await bytesAt(file, 0, 64);
  if (header.toString("latin1", 0, 4) !== "\x7fELF" || header[4] !== 2 || header[5] !== 1) return undefined;
  const entrySize = header.readUInt16LE(58);
  const entries = header.readUInt16LE(60);
  const table = await bytesAt(file, Number(header.readBigUInt64LE(40)), entrySize * entries);
  const raw = Array.from({ length: entries }, (_, index) => {
    const at = index * entrySize;
    return {
      name: table.readUInt32LE(at),
      offset: Number(table.readBigUInt64LE(at + 24)),
      size: Number(table.readBigUInt64LE(at + 32)),
    };
  });
  const strings = raw[header.readUInt16LE(62)];
  if (!strings) return undefined;
  const names = await bytesAt(file, strings.offset, strings.size);
  return raw.map(({ name, offset, size }) => ({
    name: names.toString("latin1", name, names.indexOf(0, name)),
    offset,
    size,
  }));
}

/** `u32 length of the name (4), u32 length of the id, u32 type (3), "GNU\0", the id` */
function buildIdOf(note: Buffer): string | undefined {
  if (note.length < 16 || note.toString("latin1", 12, 15) !== "GNU") return undefined;
  return note.toString("hex", 16, 16 + note.readUInt32LE(4));
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  if (bytesRead < length) throw new RangeError("the file ends early");
  return buffer;
}
