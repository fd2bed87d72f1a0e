import {
  type Examination,
  type FoundFinding,
  placeWords,
  type Severity,
  titleOf,
  worthWords,
} from "@siphon/doctor";
import { type Html, html } from "../report/html.ts";
import type { PagePart, Section } from "../report/page/page.ts";
import { copyable, facts, note } from "../report/page/parts.ts";

/** Findings about VMs as the content of a page. */
export interface FindingsContent {
  /** The only VM; undefined for none or several. */
  title: string | undefined;
  headline: string;
  lead: Html;
  sections: Section[];
}

/** A section a VM; for one VM alone, a section a disk. */
export function findingsContent(examinations: readonly Examination[]): FindingsContent {
  const [one] = examinations.length === 1 ? examinations : [];
  if (one !== undefined) {
    const title = titleOf(one);
    return {
      title,
      headline: title,
      lead: html`<p class="lead">${one.verdict}</p>`,
      sections: vmSections(one, ""),
    };
  }
  return {
    title: undefined,
    headline: `${examinations.length} VMs looked at`,
    lead: overview(examinations),
    sections: examinations.map((examination, index) => ({
      id: `vm-${index + 1}`,
      heading: titleOf(examination),
      body: html`<p>${examination.verdict}</p>${vmSections(examination, `vm-${index + 1}-`).map(
        ({ heading, body }) => html`<h3>${heading}</h3>${body}`,
      )}`,
    })),
  };
}

function overview(examinations: readonly Examination[]): Html {
  return html`<ul>${examinations.map(
    (examination, index) =>
      html`<li><a href="#vm-${index + 1}">${titleOf(examination)}</a>: ${worst(examination)}</li>`,
  )}</ul>`;
}

function worst({ disks, vm }: Examination): string {
  const all = [...disks.flatMap(({ findings }) => findings), ...vm.findings];
  const counts = (["high", "medium", "low"] as const).flatMap((severity) => {
    const count = all.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  return counts.length === 0 ? "nothing to fix" : counts.join(", ");
}

function vmSections({ disks, vm, notes, unseen }: Examination, prefix: string): Section[] {
  const sections = disks.map(
    ({ disk, rbd, source, findings }, index): Section => ({
      id: `${prefix}disk-${index + 1}`,
      heading: disk,
      body: html`<p class="muted">${rbd ? "On RBD" : "Not on RBD"}${source && html`: <code>${source}</code>`}</p>
${findings.length === 0 && rbd && html`<p>Nothing to fix.</p>`}${findings.map((finding, at) => entry(finding, `${prefix}disk-${index + 1}-${at + 1}`))}`,
    }),
  );
  sections.push({
    id: `${prefix}host`,
    heading: "VM and host",
    body: html`${vm.findings.length === 0 && html`<p>Nothing to fix.</p>`}${vm.findings.map((finding, at) => entry(finding, `${prefix}host-${at + 1}`))}
${notes.length > 0 && note(...notes)}${unseen.length > 0 && html`<h3>Not seen</h3><ul>${unseen.map((each) => html`<li>${each}</li>`)}</ul>`}`,
  });
  return sections;
}

function entry(finding: FoundFinding, id: string): Html {
  const { severity, title, why, fix, worth, place } = finding;
  const settings = [
    ...(worth === null ? [] : [{ name: "worth", value: worthWords(worth) }]),
    { name: "where", value: placeWords(place) },
    { name: "in force", value: finding.takes },
  ];
  return html`<article class="finding"><h3><span class="severity ${severity}">${marks[severity]}</span> ${title} <code>${finding.id}</code></h3>
<p>${why}</p>
${copyable(`fix-${id}`, "Change", fix, true)}${facts([{ title: "", settings }])}</article>
`;
}

const marks: Record<Severity, string> = { high: "high", medium: "medium", low: "low", info: "to know" };

export const findingsPart: PagePart = {
  style: `
body{overflow-wrap:anywhere}
.finding{border-top:1px solid var(--grid);padding:1.2rem 0 .4rem;break-inside:avoid}
.finding .facts{columns:1;margin:.6rem 0}.finding .facts dd{text-align:left}.finding .facts h3{display:none}.finding .facts section{margin:0}
.severity{font-size:.78rem;font-weight:650;border:1px solid currentColor;border-radius:4px;padding:.05rem .4rem;vertical-align:.1em}
.severity.high,.severity.medium{color:var(--study)}.severity.low{color:var(--accent)}.severity.info{color:var(--muted)}
`,
  script: "",
};
