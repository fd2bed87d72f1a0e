/** Nova's major version for each OpenStack release name. */
const novaOf: Readonly<Record<string, number>> = {
  icehouse: 10,
  juno: 11,
  kilo: 11.5,
  liberty: 12,
  mitaka: 13,
  newton: 14,
  ocata: 15,
  pike: 16,
  queens: 17,
  rocky: 18,
  stein: 19,
  train: 20,
  ussuri: 21,
  victoria: 22,
  wallaby: 23,
  xena: 24,
  yoga: 25,
  zed: 26,
  antelope: 27,
  bobcat: 28,
  caracal: 29,
  dalmatian: 30,
  epoxy: 31,
  flamingo: 32,
  gazpacho: 33,
};

/** The Nova major version that a text names: `nova 29`, `2024.1`, `Newton`; undefined if it names none. */
export function novaRelease(text: string): number | undefined {
  const nova = /\bnova[\s:=-]*v?(\d{2})\b/i.exec(text);
  if (nova !== null) return Number(nova[1]);
  const dated = /\b(20\d\d)\.([12])\b/.exec(text);
  if (dated !== null) {
    const [year, half] = [Number(dated[1]), Number(dated[2])];
    // Antelope (2023.1) is Nova 27. Earlier releases had year and number as well (2015.1 is Kilo, Nova 11).
    return year >= 2023 ? 27 + (year - 2023) * 2 + (half - 1) : 11;
  }
  const lower = text.toLowerCase();
  const name = Object.keys(novaOf).findLast((each) => new RegExp(`\\b${each}\\b`).test(lower));
  return name === undefined ? undefined : novaOf[name];
}

/** Whether the text comes from Kolla, whose overlays add to its own template. */
export function isKolla(text: string): boolean {
  return /kolla/i.test(text);
}
