const rowBytes = 16;

/** Bytes in the form of Ceph's programs: 16 per row, without rows that repeat the previous one, and the length at the end. */
export function hexdump(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  const lines: string[] = [];
  let star = false;
  for (let at = 0; at < bytes.length; at += rowBytes) {
    if (isRepetition(bytes, at)) {
      if (!star) lines.push("*");
      star = true;
      continue;
    }
    star = false;
    lines.push(row(bytes.subarray(at, at + rowBytes), at));
  }
  lines.push(hex(bytes.length, 8));
  return `${lines.join("\n")}\n`;
}

/** A whole row of one value that repeats the previous row; never the last row. */
function isRepetition(bytes: Uint8Array, at: number): boolean {
  if (at === 0 || at + rowBytes >= bytes.length) return false;
  const value = bytes[at - 1];
  return bytes.subarray(at - rowBytes, at + rowBytes).every((byte) => byte === value);
}

function row(bytes: Uint8Array, at: number): string {
  let numbers = "";
  for (let i = 0; i < rowBytes; i++) {
    const byte = bytes[i];
    numbers += `${i === 8 ? " " : ""} ${byte === undefined ? "  " : hex(byte, 2)}`;
  }
  const text = Array.from(bytes, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : "."));
  return `${hex(at, 8)} ${numbers}  |${text.join("")}|`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
