import { decodeText, examine, type InputFile } from "@siphon/doctor";
import { SiphonError } from "@siphon/wire";
import { html } from "../../report/html.ts";
import { note, renderSection } from "../../report/page/parts.ts";
import { findingsContent } from "../findings-sections.ts";

/** A chosen file, whose bytes may be UTF-16. */
interface ChosenFile {
  name: string;
  bytes: Uint8Array;
}

/**
 * Findings about pasted configurations as HTML, or why they cannot be read. It never throws, because old findings would
 * stay on the page.
 */
export function examinePasted(given: readonly (InputFile | ChosenFile)[]): string {
  try {
    const files = given.map((file) =>
      "bytes" in file ? { name: file.name, text: decodeText(file.bytes) } : file,
    );
    const examinations = examine(files);
    if (examinations.length === 0)
      return note("Nothing here describes a VM, or settings for VMs.").toString();
    const { headline, lead, sections } = findingsContent(examinations);
    return html`<h2>${headline}</h2>${lead}${sections.map(renderSection)}`.toString();
  } catch (error) {
    if (error instanceof SiphonError) return note(error.message, error.hint).toString();
    const what = error instanceof Error ? error.name : typeof error;
    return note(
      `The text cannot be examined: the doctor itself fails at it (${what}).`,
      "that is a fault of siphon: please report it, with a text that shows it and without its keys",
    ).toString();
  }
}

// Called by the page's other script.
Object.assign(globalThis, { examinePasted });
