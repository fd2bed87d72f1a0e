import { examine, type InputFile } from "@siphon/doctor";
import { SiphonError } from "@siphon/wire";
import { html } from "../../report/html.ts";
import { note, renderSection } from "../../report/page/parts.ts";
import { findingsContent } from "../findings-sections.ts";

/** Findings at pasted configurations as HTML, or why they cannot be read. */
export function examinePasted(files: readonly InputFile[]): string {
  try {
    const examinations = examine(files);
    if (examinations.length === 0)
      return note("Nothing here describes a VM, or what VMs are made with.").toString();
    const { headline, lead, sections } = findingsContent(examinations);
    return html`<h2>${headline}</h2>${lead}${sections.map(renderSection)}`.toString();
  } catch (error) {
    if (error instanceof SiphonError) return note(error.message, error.hint).toString();
    throw error;
  }
}

// The page's other script calls it.
Object.assign(globalThis, { examinePasted });
