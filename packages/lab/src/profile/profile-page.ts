import { dateTime, percent } from "../report/format.ts";
import { html } from "../report/html.ts";
import { renderPage, type Section } from "../report/page/page.ts";
import { type Column, table } from "../report/page/parts.ts";
import { costInWords, saturation } from "./findings.ts";
import { flameGraph, flamePart } from "./flame-graph/flame-graph.ts";
import { callTree } from "./formats/call-tree.ts";
import type { Profile, ProfileGroup, ProfileThread } from "./profile.ts";
import { symbolAdvice } from "./symbols/unnamed.ts";

/** A profile as one self-contained HTML page. */
export function profileHtml(profile: Profile): string {
  const { process, started, cutShort, seconds } = profile;
  const [first, ...others] = saturation(profile);
  const when = dateTime(started);
  return renderPage({
    title: `Profile of ${process.name}, ${when}`,
    eyebrow: `Wallclock profile of ${process.name} (process ${process.pid}) · ${when}`,
    headline: first,
    lead: html`${others.map((sentence) => html`<p class="lead">${sentence}</p>\n`)}${
      cutShort && html`<p class="lead">Sampling ended after ${seconds.toFixed(1)} s: ${cutShort}.</p>\n`
    }`,
    sections: profileSections(profile),
    footer: html`<p>Made by siphon on ${when}.</p>`,
    parts: [flamePart],
  });
}

/** The sections of a profile, for its own page or another one, which needs `flamePart`. */
export function profileSections(profile: Profile): Section[] {
  const advice = symbolAdvice(profile.unnamed);
  return [
    {
      id: "flame",
      heading: "Where its threads were",
      short: "Flame graph",
      body: html`<p>Stacks of all threads at regular moments, on a CPU or not. The text files beside this page hold the same as call trees.</p>
${flameGraph(profile)}${advice.map((sentence) => html`<p class="muted">${sentence}</p>\n`)}`,
    },
    {
      id: "threads",
      heading: "Its threads",
      short: "Threads",
      body: html`<p>Percent of one core just before and after the sampling, from the kernel’s accounting. Near 100 a thread is saturated: it is the limit. “No core free” is the share of the time in which it could have run but all cores were taken.</p>
${table("Threads that did something", threadColumns, busyThreads(profile))}`,
    },
    {
      id: "functions",
      heading: "Functions that ran",
      short: "Functions",
      body: html`<p>By the samples that found them innermost and on a CPU, in percent of the samples of their thread name.</p>
${table("Functions", functionColumns, hotFunctions(profile.groups))}`,
    },
    {
      id: "cost",
      heading: "What the sampling cost",
      short: "Cost",
      body: html`<p>${costInWords(profile)}</p>\n`,
    },
  ];
}

const threadColumns: Column<ProfileThread>[] = [
  { head: "Thread", cell: ({ name, tid }) => `${name} (${tid})` },
  { head: "On a core", cell: ({ busy }) => percent(busy) },
  { head: "No core free", cell: ({ delayed }) => percent(delayed) },
];

function busyThreads({ threads }: Profile): ProfileThread[] {
  const busy = threads.filter((thread) => thread.busy >= 0.5);
  return busy.length > 0 ? busy : threads.slice(0, 1);
}

interface HotFunction {
  name: string;
  thread: string;
  /** Percent of the samples of its thread name. */
  share: number;
}

const functionColumns: Column<HotFunction>[] = [
  { head: "Thread", cell: ({ thread }) => thread },
  { head: "Share", cell: ({ share }) => `${share.toFixed(1)} %` },
  { head: "Function", cell: ({ name }) => html`<code>${name}</code>`, text: true },
];

function hotFunctions(groups: readonly ProfileGroup[]): HotFunction[] {
  return groups
    .flatMap(({ name: thread, samples, stacks }) =>
      callTree(stacks, "inverse").children.map(({ name, running }) => ({
        name,
        thread,
        share: (running / samples) * 100,
      })),
    )
    .filter(({ share }) => share > 0)
    .toSorted((a, b) => b.share - a.share)
    .slice(0, 15);
}
