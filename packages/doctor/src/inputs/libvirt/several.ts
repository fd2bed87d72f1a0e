import type { InputFile } from "../input.ts";
import { xmlAlone } from "../xml.ts";

/** The domains in a text, with their positions: the concatenated XML of several is not one XML document. */
export function domainsIn(file: InputFile): InputFile[] {
  const { name } = file;
  const text = xmlAlone(file.text);
  const parts = partsOfDomains(text);
  if (parts.length === 1 || !/^\s*(<\?xml|<!--|<domain[\s>])/.test(text)) return [file];
  let before = "";
  return parts.map((part) => {
    // XML allows a declaration only at the very beginning.
    const body = part.replace(/<\?xml[^>]*\?>/, "");
    const own = { name, text: "\n".repeat(before.split("\n").length - 1) + body };
    before += part;
    return own;
  });
}

/** Splits the text into pieces with one domain each. */
export function partsOfDomains(text: string): string[] {
  return text.split(/(?<=<\/domain>)(?=\s*(?:<\?xml|<!--|<domain[\s>]))/);
}
