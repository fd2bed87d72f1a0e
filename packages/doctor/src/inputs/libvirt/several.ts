import type { InputFile } from "../input.ts";
import { xmlAlone } from "../xml.ts";

/** The domains of a text, each where it stands: the XML of several, one after the other, is no document. */
export function domainsIn(file: InputFile): InputFile[] {
  const { name } = file;
  const text = xmlAlone(file.text);
  const parts = partsOfDomains(text);
  if (parts.length === 1 || !/^\s*(<\?xml|<!--|<domain[\s>])/.test(text)) return [file];
  let before = "";
  return parts.map((part) => {
    // A declaration is allowed at the very beginning alone.
    const body = part.replace(/<\?xml[^>]*\?>/, "");
    const own = { name, text: "\n".repeat(before.split("\n").length - 1) + body };
    before += part;
    return own;
  });
}

/** The text in pieces that hold a domain each. */
export function partsOfDomains(text: string): string[] {
  return text.split(/(?<=<\/domain>)(?=\s*(?:<\?xml|<!--|<domain[\s>]))/);
}
