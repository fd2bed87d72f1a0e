/** A symbol of a dynamic symbol table, with the offset of its entry in the file. */
interface DynamicSymbol {
  name: string;
  at: number;
  defined: boolean;
}

/** Names that a 64-bit little-endian ELF library defines. Source: elf(5). */
export function exportedSymbols(elf: Buffer): Set<string> {
  return new Set(
    dynamicSymbols(elf)
      .filter(({ defined }) => defined)
      .map(({ name }) => name),
  );
}

/**
 * A copy of an ELF library in which the undefined symbols that `may` accepts are weak: the loader resolves a missing
 * one to address 0, instead of rejecting the library. Undefined if there is no such symbol.
 */
export function weakened(elf: Buffer, may: (name: string) => boolean): Buffer | undefined {
  const symbols = dynamicSymbols(elf).filter(({ name, defined }) => !defined && may(name));
  if (symbols.length === 0) return undefined;
  const copy = Buffer.from(elf);
  for (const { at } of symbols) copy[at + 4] = (STB_WEAK << 4) | (copy[at + 4]! & 0xf);
  return copy;
}

const STB_WEAK = 2;
const SHT_DYNSYM = 11;

/**
 *     header:   40 u64 section table  58 u16 size of an entry  60 u16 entries
 *     section:  4 u32 type  24 u64 offset  32 u64 size  40 u32 section of the names
 *     symbol:   0 u32 name  4 u8 binding (high four bits) and type  6 u16 section (0: undefined); 24 bytes
 */
function dynamicSymbols(elf: Buffer): DynamicSymbol[] {
  if (elf.toString("latin1", 0, 4) !== "\x7fELF" || elf[4] !== 2 || elf[5] !== 1) return [];
  const [table, entry, entries] = [offsetAt(elf, 40), elf.readUInt16LE(58), elf.readUInt16LE(60)];
  const section = (index: number) => table + index * entry;
  const found = Array.from({ length: entries }, (_, index) => section(index)).find(
    (at) => elf.readUInt32LE(at + 4) === SHT_DYNSYM,
  );
  if (found === undefined) return [];
  const [start, size] = [offsetAt(elf, found + 24), offsetAt(elf, found + 32)];
  const names = offsetAt(elf, section(elf.readUInt32LE(found + 40)) + 24);
  return Array.from({ length: size / 24 }, (_, index) => {
    const at = start + index * 24;
    const name = names + elf.readUInt32LE(at);
    return {
      name: elf.toString("latin1", name, elf.indexOf(0, name)),
      at,
      defined: elf.readUInt16LE(at + 6) !== 0,
    };
  });
}

function offsetAt(elf: Buffer, at: number): number {
  return Number(elf.readBigUInt64LE(at));
}
