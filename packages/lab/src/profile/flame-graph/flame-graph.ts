import { type Html, html, trusted } from "../../report/html.ts";
import type { PagePart } from "../../report/page/page.ts";
import type { Profile } from "../profile.ts";
import { flameScript } from "./script.ts";
import { flameStyle } from "./style.ts";

/** Style and script of a page with flame graphs, however many there are. */
export const flamePart: PagePart = { style: flameStyle, script: flameScript };

/**
 * An interactive flame graph of a profile, for a page that has `flamePart`: threads are at the top, with the called
 * functions below; inverted, functions are above their callers. `id` must be unique on the page.
 */
export function flameGraph({ groups, process }: Profile, id = "flame-graph"): Html {
  const samples = groups.reduce((sum, group) => sum + group.samples, 0);
  return html`<div class="flame">
<div class="flame-controls" hidden>
<label>Thread <select>${groups.map(
    ({ name, running, samples: own }, index) =>
      html`<option value="${index}">${name} (${Math.round((running / own) * 100)} % on a CPU)</option>`,
  )}<option value="all">all threads</option></select></label>
<label>Search <input type="search" placeholder="function" spellcheck="false"></label>
<button type="button" data-inverse aria-pressed="false">Innermost first</button>
<button type="button" data-reset disabled>Reset zoom</button>
<output aria-live="polite"></output>
</div>
<p class="flame-details" aria-live="polite">${samples} samples of ${process.name}. The flame graph needs a browser that runs scripts; the call trees in the text files beside this page say the same.</p>
<div class="flame-graph" role="tree" aria-label="Flame graph of ${process.name}" aria-describedby="${id}-keys"></div>
<p class="flame-key" id="${id}-keys"><i class="on"></i> on a CPU, <i class="off"></i> waiting. The wider, the more samples. Click or Enter zooms in, Escape out; arrow keys walk; / searches.</p>
<script type="application/json">${trusted(embedded(graphData(groups)))}</script>
</div>
`;
}

/** Stacks as [samples, running, frames...], frames as indices into the list of names. */
function graphData(groups: Profile["groups"]) {
  const indices = new Map<string, number>();
  const indexOf = (name: string) => {
    const index = indices.get(name) ?? indices.size;
    indices.set(name, index);
    return index;
  };
  const packed = groups.map(({ name, stacks }) => ({
    name,
    stacks: stacks.map(({ samples, running, frames }) => [samples, running, ...frames.map(indexOf)]),
  }));
  return { frames: [...indices.keys()], groups: packed };
}

/** JSON that cannot end its script element. */
function embedded(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
