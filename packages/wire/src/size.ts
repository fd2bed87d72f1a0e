/** Bytes of a size such as `65536`, `64K`, `64Ki`, `64KiB` or `4M`, in powers of 1,024; undefined for other text. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d+)\s*(?:([KMGT])i?)?B?$/i.exec(text.trim()) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * 1024 ** " KMGT".indexOf(unit.toUpperCase() || " ");
}
