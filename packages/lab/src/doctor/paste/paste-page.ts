import { html } from "../../report/html.ts";
import { renderPage } from "../../report/page/page.ts";
import { findingsPart } from "../findings-sections.ts";

/**
 * The doctor as a page: it examines pasted text and chosen files in the browser, and sends nothing anywhere.
 *
 * @param program `examine-pasted.ts` as one script
 */
export function pastePage(program: string): string {
  return renderPage({
    title: "siphon doctor",
    eyebrow: "siphon doctor",
    headline: "What slows down the disks of a VM on Ceph",
    lead: html`<p class="lead">Paste a configuration: libvirt XML, a QEMU command line, a Proxmox, KubeVirt, Nova, Incus or OpenNebula
definition. Or choose files that belong together. They stay in this browser: the page asks the network for nothing.</p>
<form id="paste"><label for="text">Configuration</label>
<textarea id="text" rows="14" spellcheck="false" autocomplete="off"></textarea>
<p class="choose"><label>Files <input id="files" type="file" multiple></label> <button>Examine</button></p></form>
<noscript><p>This page needs JavaScript.</p></noscript>
<div id="result" aria-live="polite" tabindex="-1"></div>`,
    sections: [],
    footer: html`<p>siphon doctor changes nothing. <code>siphon doctor vm</code> also looks at running VMs.</p>`,
    parts: [findingsPart, { style, script: program }, { style: "", script }],
  });
}

const style = `
nav{display:none}
#paste label{font-weight:500}
#paste textarea{display:block;width:100%;margin-top:.4rem;padding:.8rem 1rem;color:inherit;background:var(--wash);border:1px solid var(--grid);border-radius:6px;font:.82rem/1.55 ui-monospace,Menlo,Consolas,monospace;resize:vertical}
#paste .choose{display:flex;flex-wrap:wrap;gap:.8rem 1rem;align-items:center;justify-content:space-between;max-width:none}
#paste input{max-width:100%;font:inherit}
#paste button{font:500 1rem/1 system-ui,sans-serif;color:var(--surface);background:var(--accent);border:0;border-radius:5px;padding:.6rem 1.2rem;cursor:pointer}
#result:focus{outline:none}
@media print{#paste{display:none}}
`;

/** Runs in the page; `examinePasted` is the program's, `offerCopies` every page's. */
const script = `
const form = document.getElementById("paste");
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const pasted = document.getElementById("text").value;
  const chosen = [...document.getElementById("files").files];
  const result = document.getElementById("result");
  result.replaceChildren();
  try {
    const files = await Promise.all(
      chosen.map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) })),
    );
    if (pasted.trim() !== "") files.unshift({ name: "pasted", text: pasted });
    result.innerHTML = examinePasted(files);
  } catch {
    result.textContent = "A file cannot be read any more: choose it again.";
  }
  offerCopies(result);
  result.focus();
});
`;
