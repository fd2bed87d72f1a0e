import { createHash } from "node:crypto";
import { type Html, html, trusted } from "../html.ts";
import { renderSection } from "./parts.ts";
import { script } from "./script.ts";
import { styleSheet } from "./style.ts";

/** A section of a report, listed in the page's contents. */
export interface Section {
  id: string;
  heading: string;
  /** Its name in the contents; default: the heading. */
  short?: string;
  body: Html;
}

/** Additions of a kind of content to the page's style sheet and script. */
export interface PagePart {
  style: string;
  script: string;
}

export interface Page {
  /** Title of the browser's tab. */
  title: string;
  /** The line above the headline: what, when, where. */
  eyebrow: string;
  headline: string;
  /** Content between the headline and the first section. */
  lead: Html;
  sections: readonly Section[];
  footer: Html;
  parts?: readonly PagePart[];
  /** Whether its script receives events from the page's server. */
  listens?: true;
}

/** A complete HTML page in one string, whose content security policy forbids loading anything. */
export function renderPage(page: Page): string {
  const { title, eyebrow, headline, lead, sections, footer, parts = [], listens } = page;
  const scripts = [script, ...parts.map((part) => part.script)];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy(scripts, listens)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="siphon">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(styleSheet)}</style>
${parts.map(({ style }) => html`<style>${trusted(style)}</style>\n`)}</head>
<body>
<header>
<p class="eyebrow">${eyebrow}</p>
<h1>${headline}</h1>
${lead}
</header>
<nav aria-label="Contents"><ul>
${sections.map(({ id, heading, short }) => html`<li><a href="#${id}">${short ?? heading}</a></li>\n`)}</ul></nav>
<main>
${sections.map(renderSection)}</main>
<footer>${footer}</footer>
${scripts.map((each) => html`<script>${trusted(each)}</script>\n`)}</body>
</html>
`.toString();
}

/** Only the page's own content may run or be shown. */
function policy(scripts: readonly string[], listens: true | undefined): string {
  const hashes = scripts.map((each) => `'sha256-${createHash("sha256").update(each).digest("base64")}'`);
  return [
    "default-src 'none'",
    "img-src data:",
    "style-src 'unsafe-inline'",
    `script-src ${hashes.join(" ")}`,
    ...(listens ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}
