import { renderChart } from "../report/charts/render.ts";
import { dateTime, interval, percent, rounded } from "../report/format.ts";
import { html } from "../report/html.ts";
import { renderPage, type Section } from "../report/page/page.ts";
import { type Column, facts, figure, note, table } from "../report/page/parts.ts";
import { opensslDecrypt } from "../study/figures.ts";
import { type Ceiling, ceilings, type MeasuredReads } from "./ceiling.ts";
import { speedChart } from "./chart.ts";
import { blockSizes, type CryptoResults, type Direction, seriesOf, sources } from "./results.ts";
import { ceilingHeadline, ceilingSentences, smallBlockSentence, speedText } from "./words.ts";

export interface CryptoContext {
  /** Number of messenger threads; the study's clients had three. */
  threads: number;
  /** A run to compare with the ceilings. */
  measured?: MeasuredReads;
}

/** The speed of AES-128-GCM as one self-contained HTML page. */
export async function cryptoHtml(
  results: CryptoResults,
  { threads, measured }: CryptoContext,
): Promise<string> {
  const all = ceilings(results, threads, measured);
  const when = dateTime(results.started);
  const [decrypt, encrypt] = await Promise.all(
    (["decrypt", "encrypt"] as const).map((direction) => renderChart(speedChart(results, direction))),
  );
  const small = smallBlockSentence(results);
  const warnings = [
    ...(results.complete ? [] : ["The measurement was cut short; the rounds until then are shown."]),
    ...results.skipped.map(({ source, reason }) => `${sources[source].title} was not measured: ${reason}.`),
  ];
  return renderPage({
    title: `AES-128-GCM, ${when}`,
    eyebrow: `Encryption on the wire: AES-128-GCM on this machine · ${when}`,
    headline: ceilingHeadline(all),
    lead: html`${ceilingSentences(all, threads, measured).map((sentence) => html`<p class="lead">${sentence}</p>\n`)}${
      warnings.length > 0 && note(...warnings)
    }`,
    sections: [
      {
        id: "decrypt",
        heading: "Decryption",
        body: html`${small && html`<p>${small}</p>\n`}${figure(decrypt, "Median and 95 % interval over the rounds.")}${speedTable(results, "decrypt")}`,
      },
      ceilingSection(all, threads, measured),
      {
        id: "encrypt",
        heading: "Encryption",
        body: html`${figure(encrypt, "Median and 95 % interval over the rounds.")}${speedTable(results, "encrypt")}`,
      },
      methodSection(results),
    ],
    footer: html`<p>Made by siphon on ${when}.</p>`,
  });
}

interface SpeedRow {
  title: string;
  /** By block size. */
  cells: (string | undefined)[];
  study?: boolean;
}

function speedTable(results: CryptoResults, direction: Direction) {
  const rows: SpeedRow[] = (["openssl", "evp", "node"] as const).flatMap((source) => {
    const series = seriesOf(results, source, direction);
    if (!series) return [];
    const cells = blockSizes.map((size) => {
      const speed = series.speeds.find((each) => each.size === size)?.speed;
      return speed && speedText(speed.median);
    });
    return [{ title: sources[source].title, cells }];
  });
  if (direction === "decrypt") {
    rows.push({
      title: "the study",
      cells: blockSizes.map((size) => speedText(opensslDecrypt[size] * 1000)),
      study: true,
    });
  }
  const columns: Column<SpeedRow>[] = [
    { head: "AES-128-GCM", cell: ({ title }) => title },
    ...blockSizes.map((size, index) => ({
      head: `${size} bytes`,
      cell: ({ cells }: SpeedRow) => cells[index] ?? "",
    })),
  ];
  return table(
    `${direction === "decrypt" ? "Decryption" : "Encryption"}, per second of CPU time`,
    columns,
    rows,
    ({ study }) => (study ? "study" : ""),
  );
}

function ceilingSection(
  all: readonly Ceiling[],
  threads: number,
  measured: MeasuredReads | undefined,
): Section {
  const columns: Column<Ceiling>[] = [
    { head: "By", cell: ({ title }) => title },
    { head: "Frames/s a core", cell: ({ framesPerSecond }) => rounded(framesPerSecond.median) },
    {
      head: "95 % interval",
      cell: ({ source, framesPerSecond }) => (source === "study" ? "" : interval(framesPerSecond, rounded)),
    },
    { head: "CPU a frame", cell: ({ microseconds }) => `${microseconds.toFixed(1)} µs` },
    { head: `IOPS, ${threads} threads`, cell: ({ iops }) => rounded(iops) },
    {
      head: "at 14–20 %",
      cell: ({ iopsAtShare: { low, high } }) => `${rounded(low)}–${rounded(high)}`,
    },
    ...(measured
      ? [
          {
            head: `at ${rounded(measured.iops.median)} IOPS`,
            cell: ({ shareAtMeasured }: Ceiling) => percent(shareAtMeasured ?? 0),
          },
        ]
      : []),
  ];
  return {
    id: "ceiling",
    heading: "The ceiling that follows",
    short: "Ceiling",
    body: html`<p>A 16 KiB read arrives as one frame. The table shows how many of them one core can decrypt if it does nothing else, and the IOPS of the messenger threads if decryption were their only work, or took the 14 to 20 % of their time that it took in the study.</p>
${table("Frames of 16 KiB", columns, all, ({ source }) => (source === "study" ? "study" : ""))}`,
  };
}

function methodSection({ rounds, seconds, facts: settings, seed }: CryptoResults): Section {
  return {
    id: "method",
    heading: "How the figures were made",
    short: "Method",
    body: html`<p>Each of the ${rounds} rounds visited all block sizes, directions and sources in a random order (seed ${seed}): <code>openssl speed -evp aes-128-gcm -bytes SIZE -seconds ${seconds}</code>, and ${seconds / 4} s of each in this Node process. A figure is the median over the rounds; all are per second of CPU time, not of elapsed time, so that a busy machine disturbs less.</p>
<ul>
${Object.values(sources).map(({ title, what }) => html`<li>${title}: ${what}</li>\n`)}</ul>
${facts([{ title: "Machine and versions", settings }])}`,
  };
}
