import { WireError } from "./wire-error.ts";

/** The text of 16 bytes after RFC 5952, as inet_ntop writes it. */
export function formatIPv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  const embedsIPv4 =
    groups.slice(0, 5).every((group) => group === 0) &&
    (groups[5] === 0xffff || (groups[5] === 0 && groups[6] !== 0));
  if (embedsIPv4) return `::${groups[5] === 0 ? "" : "ffff:"}${bytes.subarray(12, 16).join(".")}`;
  const hex = groups.map((group) => group.toString(16));
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return hex.join(":");
  return `${hex.slice(0, zeros.start).join(":")}::${hex.slice(zeros.start + zeros.length).join(":")}`;
}

/**
 * The 16 bytes of an IPv6 address; a zone (`%eth0`) is not part of the address.
 *
 * @throws WireError SIPHON_WIRE_RANGE for invalid text
 */
export function parseIPv6(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  const [head, tail] = splitOnce(text.split("%", 1)[0]!, "::").map(groupBytes) as [number[], number[]?];
  const filled = head.length + (tail?.length ?? 0);
  if (tail === undefined ? filled !== 16 : filled > 14) throw notAnAddress(text);
  bytes.set(head);
  if (tail !== undefined) bytes.set(tail, 16 - tail.length);
  return bytes;

  function groupBytes(part: string): number[] {
    if (part === "") return [];
    const groups = part.split(":");
    return groups.flatMap((group, i) => {
      if (i === groups.length - 1 && group.includes(".")) return [...parseIPv4(group)];
      if (!/^[0-9a-f]{1,4}$/i.test(group)) throw notAnAddress(text);
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    });
  }
}

/**
 * The 4 bytes of an IPv4 address.
 *
 * @throws WireError SIPHON_WIRE_RANGE for invalid text
 */
export function parseIPv4(text: string): Uint8Array {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255)) {
    throw notAnAddress(text);
  }
  return Uint8Array.from(parts, Number);
}

function notAnAddress(text: string): WireError {
  return new WireError("SIPHON_WIRE_RANGE", `not an IP address: ${JSON.stringify(text)}`);
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
    start += length;
  }
  return best;
}
