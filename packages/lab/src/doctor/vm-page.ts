import type { Examination } from "@siphon/doctor";
import { html } from "../report/html.ts";
import { renderPage } from "../report/page/page.ts";
import { findingsContent, findingsPart } from "./findings-sections.ts";

/** Findings at VMs as one page: it works offline, in light and dark, and on paper. */
export function vmDoctorPage(examinations: readonly Examination[], now: Date = new Date()): string {
  const { title, ...content } = findingsContent(examinations);
  return renderPage({
    title: title === undefined ? "siphon doctor" : `siphon doctor: ${title}`,
    eyebrow: `siphon doctor · ${now.toISOString().slice(0, 16).replace("T", " ")} UTC`,
    ...content,
    footer: html`<p>siphon doctor changes nothing. <code>siphon doctor explain ID</code> says when a change would be wrong.</p>`,
    parts: [findingsPart],
  });
}
